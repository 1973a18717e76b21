"""The shipped certificate recipes. A package only so that they are installed; nothing imports it."""
