"""Digital Access beside a bench: the service, certificate authorities for its users, phones and mail."""

from cardtwin.targets.access.holders import HolderTemplate, certify_holder
from cardtwin.targets.access.site import AccessSite

__all__ = ["AccessSite", "HolderTemplate", "certify_holder"]
