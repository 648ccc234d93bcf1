"""What a file says of itself in its first bytes and boxes. Reads bytes alone: never imports av or cv2."""
