"""What a file says about itself in its first bytes and boxes. Reads bytes only: never imports av or cv2."""
