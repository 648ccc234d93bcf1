"""One claimed job while it runs here, from fetching its media to its ending. Never imports what pulls or dispatches."""
