"""What a brand's programs are told unasked: an endless list of events, and copies of it sent to their addresses."""
