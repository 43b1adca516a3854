"""Plans of spend: what they bring, and which is best, on response curves that a fit has stored."""
