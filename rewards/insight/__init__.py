"""What bringing people costs and returns: money spent day by day, what the brand adds, CAC and ROAS."""
