"""What a visitor's and an operator's browser really does."""

import pytest

# A test that fails there says why.
pytest.register_assert_rewrite("tests.browser.sites")
