"""Digital Access beside a bench: the service, certificate authorities for its users, phones and mail."""

from cardtwin.targets.access.authority import HolderTemplate, SmallAuthority
from cardtwin.targets.access.site import AccessSite, PublishingAuthority

__all__ = ["AccessSite", "HolderTemplate", "PublishingAuthority", "SmallAuthority"]
