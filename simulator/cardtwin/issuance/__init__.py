"""What issues tokens: so far the ordering of virtual smart cards."""

__all__: list[str] = []
