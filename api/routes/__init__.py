"""One router per resource; `api/app.py` lists them."""
