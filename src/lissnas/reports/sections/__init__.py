"""The sections of a report, one file each: ``numbers(data)`` and ``draw(numbers)``, joined in ``SECTION``."""
