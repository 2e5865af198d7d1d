"""Trials (新品试用): applications for the places of a campaign, the line they stand in, and what the triers say."""
