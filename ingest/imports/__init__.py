"""Files into the database: read in blocks, checked column by column, stored at bulk speed, resumable."""
