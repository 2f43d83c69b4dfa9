import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AuthProvider;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Collections;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.PasswordCallback;

/**
 * A program above SunPKCS11: java TokenClient LIBRARY SLOT PIN ACTION...
 *
 * <p>Actions: certificates; key, which looks for the key anew; sign=ALGORITHM, which signs the file "message" with the
 * key that was found last; decrypt=FILE; random; login. Each prints a line: what it did and the result, or "refused"
 * with the innermost cause.
 */
public final class TokenClient {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final AuthProvider provider;
    private final KeyStore store;
    private final char[] pin;
    private PrivateKey key;

    private TokenClient(String library, String slot, String pin) throws Exception {
        Path configuration = Files.writeString(
                Path.of("token.cfg"), "name = Token\nlibrary = " + library + "\nslot = " + slot + "\n");
        this.provider = (AuthProvider) Security.getProvider("SunPKCS11").configure(configuration.toString());
        this.pin = pin.toCharArray();
        this.store = KeyStore.getInstance("PKCS11", provider);
    }

    public static void main(String[] arguments) throws Exception {
        TokenClient client = new TokenClient(arguments[0], arguments[1], arguments[2]);

        try {
            client.store.load(null, client.pin);
        } catch (Exception error) {
            OUT.println("load refused " + cause(error));
            return;
        }

        for (int i = 3; i < arguments.length; i++) {
            client.act(arguments[i]);
        }
    }

    private void act(String action) {
        String[] parts = action.split("=", 2);

        try {
            switch (parts[0]) {
                case "certificates" -> tellCertificates();
                case "key" -> OUT.println(action + " " + (isThere() ? "there" : "gone"));
                case "sign" -> OUT.println(action + " " + HexFormat.of().formatHex(sign(parts[1])));
                case "decrypt" -> OUT.println(action + " " + decrypt(parts[1]));
                case "random" -> OUT.println(action + " " + HexFormat.of().formatHex(random()));
                case "login" -> {
                    provider.login(null, this::answer);
                    OUT.println(action + " done");
                }
                default -> throw new IllegalArgumentException(action);
            }
        } catch (Exception error) {
            OUT.println(action + " refused " + cause(error));
        }
    }

    private void tellCertificates() throws Exception {
        for (String alias : Collections.list(store.aliases())) {
            X509Certificate certificate = (X509Certificate) store.getCertificate(alias);
            String kind = store.isKeyEntry(alias) ? "key" : "certificate";
            OUT.println(kind + " [" + alias + "] " + HexFormat.of().formatHex(certificate.getEncoded()));
        }
    }

    private PrivateKey findKey() throws Exception {
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias)) {
                return (PrivateKey) store.getKey(alias, null);
            }
        }

        throw new GeneralSecurityException("the key store has no key");
    }

    private boolean isThere() throws Exception {
        PrivateKey found = findKey();

        if (found != null) {
            key = found;
        }

        return found != null;
    }

    private PrivateKey key() throws Exception {
        if (key == null) {
            key = findKey();
        }

        return key;
    }

    private byte[] sign(String algorithm) throws Exception {
        Signature signature = Signature.getInstance(algorithm, provider);

        if (algorithm.endsWith("PSS")) {
            signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
        }

        signature.initSign(key());
        signature.update(Files.readAllBytes(Path.of("message")));
        return signature.sign();
    }

    private String decrypt(String file) throws Exception {
        Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding", provider);
        cipher.init(Cipher.DECRYPT_MODE, key());
        return new String(cipher.doFinal(Files.readAllBytes(Path.of(file))), StandardCharsets.UTF_8);
    }

    private byte[] random() throws Exception {
        byte[] bytes = new byte[16];
        SecureRandom.getInstance("PKCS11", provider).nextBytes(bytes);
        return bytes;
    }

    private void answer(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            if (callback instanceof PasswordCallback password) {
                password.setPassword(pin);
            }
        }
    }

    private static String cause(Throwable error) {
        while (error.getCause() != null) {
            error = error.getCause();
        }

        return error.getClass().getSimpleName() + " " + error.getMessage();
    }
}
