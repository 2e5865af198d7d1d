"""The ground the house stands on; it knows nothing of referrals, rewards or chats."""
