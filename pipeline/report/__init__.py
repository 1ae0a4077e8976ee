"""What people read: reports, explanations, tables, answers to SQL."""
