"""What mail servers of all kinds say to a recipient's address: only what is about the address disables it."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from reports.deliveries.mime import Mail
from reports.deliveries.transport import Fate, Outcome, hand_over
from tests.smtp_server import MailServer, point_at, running_mail_server

TO = "ann@example.org"
MAIL = Mail(message_id="<1@localhost>", to=TO, subject="Weekly", sender_name="Acme", text="Up.", html="<p>Up.</p>")

NOBODY_THERE = [
    # Postfix
    "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in local recipient table",
    "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.2 <ann@example.org>: Recipient address rejected: Domain not found",
    "550 5.1.3 <ann@example.org>: Recipient address rejected: Bad recipient address syntax",
    "550 5.1.6 <ann@example.org>: Recipient address rejected: User has moved to ann@example.net",
    "556 5.1.10 <ann@example.org>: Recipient address rejected: Domain example.org does not accept mail (nullMX)",
    # Exim
    "550 Unrouteable address",
    "550 Unknown user",
    "550-Unknown user, there is nobody of this name\r\n550 here",
    '550 "No Such User Here"',
    "550 Recipient unknown",
    # Exchange
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@example.org not found by SMTP address lookup",
    "550 5.1.1 User unknown",
    # Gmail
    (
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
        "550-5.1.1 double-checking the recipient's email address for typos or\r\n"
        "550 5.1.1  https://support.google.com/mail/?p=NoSuchUser a1-20020a0560001sm123.4 - gsmtp"
    ),
    (
        "550-5.2.1 The email account that you tried to reach is inactive. For more\r\n"
        "550 5.2.1 information, go to https://support.google.com/mail/?p=DisabledUser - gsmtp"
    ),
    # qmail, sendmail and others
    "550 sorry, no mailbox here by that name. (#5.1.1)",
    "550 Requested action not taken: mailbox unavailable",
    "551 User not local",
    "553 Mailbox name not allowed",
    # The address itself may be made of such words.
    "550 <ann@example.org>: no such user",
]
MAILBOX_FULL = [
    "552 5.2.2 <ann@example.org>: Recipient address rejected: Mailbox full",
    (
        "552-5.2.2 The email account that you tried to reach is over quota.\r\n"
        "552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm - gsmtp"
    ),
    "550 5.2.2 RESOLVER.RST.RecipSizeLimit; mailbox is full",
    "554 5.2.2 mailbox full",
    "552 Requested mail action aborted: exceeded storage allocation",
    "550 Mailbox quota exceeded",
    "550 Mailbox is full",
]
LATER = [
    "451 4.7.1 Greylisted, try again later",
    "452-4.2.2 The email account that you tried to reach is over quota.\r\n452 4.2.2 gsmtp",
    "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery",
    "421 4.7.0 Try again later, closing connection",
    "530 5.7.0 Authentication required",
]
NOT_ABOUT_THE_ADDRESS = [
    # Relays that are not ours to use
    "550 relay not permitted",
    (
        "550-Please turn on SMTP Authentication in your mail client.\r\n"
        "550 host (mmm) [203.0.113.9] is not permitted to relay through this server without authentication."
    ),
    "554 5.7.1 <ann@example.org>: Relay access denied",
    "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
    "550 5.7.1 Unable to relay",
    "551 we do not relay (#5.7.1)",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    # Block lists and reputation
    "554 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org",
    "550 Rejected because 203.0.113.9 is in a black list at zen.spamhaus.org",
    "550 5.7.606 Access denied, banned sending IP [203.0.113.9]",
    (
        "550 SC-001 (COL004-MC1F5) Unfortunately, messages from 203.0.113.9 weren't sent. "
        "Part of their network is on our block list"
    ),
    "550 OU-002 (SNT004) Mail rejected by Outlook.com for policy reasons",
    "550 Access denied",
    "550 Your host 5.1.1.9 is listed",
    # Who sends
    "550 5.1.8 <mmm@example.com>: Sender address rejected: Domain not found",
    "550 5.1.7 Invalid sender",
    "550-Verification failed for <mmm@example.com>\r\n550-No Such User Here\r\n550 Sender verify failed",
    "553 5.7.1 <mmm@example.com>: Sender address rejected: not owned by user mmm",
    "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "550 Message rejected: SPF check failed",
    "550 SPF: 203.0.113.9 is not allowed to send mail from example.com",
    "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550 5.7.26 gsmtp",
    "550 Failed DMARC policy for domain",
    "550 DKIM signature missing",
    # How we behave
    "550 Administrative prohibition",
    "550 This message looks like spam",
    "550 High probability of junk",
    "550 5.4.5 Daily user sending limit exceeded",
    "550 Too many recipients",
    "550 Invalid HELO",
    "550 No reverse DNS for your host",
    "554 5.4.14 Hop count exceeded - possible mail loop",
    # What says nothing of the address for sure
    "550 5.4.1 Recipient address rejected: Access denied",
    "550 5.0.0 Denied",
    "550 5.5.0 Requested action not taken: mailbox unavailable",
    "550 #5.1.0 Address rejected.",
    "554 delivery error: This user doesn't have an account",
    "521 5.3.2 Host does not accept mail",
]


@pytest.fixture(scope="module")
def _server() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture
def server(_server: MailServer, settings: Settings) -> MailServer:
    point_at(settings, _server.port)
    _server.rejected, _server.answer_to_data = {}, "250 OK"
    return _server


def says(server: MailServer, answer: str, to: str = TO) -> Outcome:
    server.rejected = {to: answer}
    outcome = hand_over(Mail(message_id="<1@localhost>", to=to, subject="Up", sender_name="", text="Up", html="Up"))
    assert not outcome.is_away
    assert outcome.sentence.endswith((".", "MAIL_ATTACHMENT_MB."))
    return outcome


@pytest.mark.parametrize("answer", NOBODY_THERE)
def test_where_nobody_is_there_the_address_is_rejected(server: MailServer, answer: str) -> None:
    assert says(server, answer).fate is Fate.REJECTED


@pytest.mark.parametrize("answer", [*MAILBOX_FULL, *LATER])
def test_a_full_mailbox_and_what_may_pass_are_tried_again(server: MailServer, answer: str) -> None:
    assert says(server, answer).fate is Fate.LATER


@pytest.mark.parametrize("answer", NOT_ABOUT_THE_ADDRESS)
def test_what_is_about_the_installation_disables_nobody(server: MailServer, answer: str) -> None:
    assert says(server, answer).fate is Fate.FAILED


@pytest.mark.parametrize("to", ["relay@spam.example", "policy.blocked@sender.example"])
def test_words_of_the_address_itself_do_not_count(server: MailServer, to: str) -> None:
    domain = to.rpartition("@")[2]
    assert says(server, f"550 <{to}>: there is nobody of this name at {domain}", to).fate is Fate.REJECTED


def test_a_full_mailbox_is_called_so(server: MailServer) -> None:
    assert says(server, "552 5.2.2 Mailbox full").sentence == (
        "The recipient's mailbox is full: “552 5.2.2 Mailbox full”."
    )


def test_a_message_too_large_for_the_recipient_fails_with_a_hint(server: MailServer) -> None:
    outcome = says(server, "552 5.3.4 Message size exceeds fixed limit")
    assert outcome.fate is Fate.FAILED
    assert "MAIL_ATTACHMENT_MB" in outcome.sentence


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        ("552 5.2.2 Mailbox full", Fate.LATER),
        ("552 5.3.4 Message too large", Fate.FAILED),
        ("552 Message size exceeds maximum permitted", Fate.FAILED),
        ("550 5.1.1 User unknown", Fate.FAILED),
    ],
)
def test_answers_to_the_message_itself(server: MailServer, answer: str, fate: Fate) -> None:
    server.answer_to_data = answer
    assert hand_over(MAIL).fate is fate
