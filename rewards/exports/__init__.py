"""Files for people to take away: orders, friends, rewards and the rest of a brand's records, as CSV or XLSX."""
