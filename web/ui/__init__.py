"""What every page shares: access, navigation, assets, labels, form fields."""
