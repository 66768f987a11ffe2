"""Who may come in and what they may do: sessions, roles, and the people behind them."""
