"""Objects as PKCS#11 shows them: attributes, the rules of templates, what a token's lists amount to."""
