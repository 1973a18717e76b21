"""Tests of what calls between Webex and on-premises are made of."""
