"""Personal Mobile: activation by QR code, a simulated phone, and the course of a login."""

from cardtwin.login.mobile.activation import PROFILE_LIFE, ActivationProfile, Activations, Invitation
from cardtwin.login.mobile.course import TRANSITIONS, Course, Event, Page, State, Transition
from cardtwin.login.mobile.images import qr_image
from cardtwin.login.mobile.phone import Phone

__all__ = [
    "PROFILE_LIFE",
    "TRANSITIONS",
    "ActivationProfile",
    "Activations",
    "Course",
    "Event",
    "Invitation",
    "Page",
    "Phone",
    "State",
    "Transition",
    "qr_image",
]
