//! Opens a bank session through Flinks' legacy Authorize, answers every challenge, and fetches what is behind it.
