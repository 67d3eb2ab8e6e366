"""Code that all pages share: access, navigation, assets, labels, form fields."""
