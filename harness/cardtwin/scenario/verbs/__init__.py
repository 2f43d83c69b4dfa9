"""The verbs, one module each. A module that is put here is found; see ``cardtwin.scenario.step``."""
