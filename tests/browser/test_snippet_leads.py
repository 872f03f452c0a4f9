"""A lead that came by the hosted script, read back through the API field by field."""

from tests.browser.snippets import NUMBER, Landing

FORM = """
<form>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <p><label>Mail <input type="email" name="email"></label></p>
  <p><label>Loan <input name="loan_amount"></label></p>
  <p><button>Send</button></p>
</form>"""


def test_the_hosted_script_brings_the_lead_field_by_field(landing: Landing) -> None:
    landing.open(FORM, query="?utm_source=news&gclid=c1&sub_id=s1&traffic_source_id=google_ads")
    landing.fill()
    landing.page.get_by_label("Mail").fill("ann@example.com")
    landing.page.get_by_label("Loan").fill("500")
    landing.agree()
    landing.send()
    landing.sent()
    [submission] = landing.get("/submissions")["submissions"]
    assert (submission["action"], submission["powers"]) == ("created", "public")
    assert submission["origin"] == landing.host.origin
    lead = landing.get(f"/leads/{submission['lead_id']}")["lead"]
    assert (lead["caller_id"], lead["email"], lead["sub_id"]) == (NUMBER, "ann@example.com", "s1")
    assert lead["traffic_source_id"] == "google_ads"
    assert lead["data"] == {"loan_amount": "500", "utm_source": "news", "gclid": "c1"}
