"""Many frames: mattes, keys and what lies between them, carried from frame to frame."""
