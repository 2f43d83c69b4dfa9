"""Reports of results: console, JUnit XML, JSON."""
