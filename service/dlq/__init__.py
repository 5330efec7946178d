"""Dead letters for those who mend things: listed, shown, and put back on their topic."""
