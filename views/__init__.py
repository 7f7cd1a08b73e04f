"""What people see: tables, trees, plots and pages."""
