"""What must hold when things go wrong at once: kill -9, races, outages, wrong settings; on the real server."""
