"""What is known while a program is checked: types and how they relate, names, facts, and the body in hand."""
