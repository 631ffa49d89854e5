"""Reports that are made to be looked at: a page, pictures, figures as JSON."""
