"""WeChat, one account behind a wechaty gateway: text commands, numbered buttons, and a connection that comes back."""
