"""Which channel a traffic source belongs to when its row names none: GA4's published default channel groups, or itself.

Source: Google Analytics help, "Default channel group". Google's own list of sites holds several hundred names; the one
below holds the major ones.
"""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

SEARCH, SOCIAL, VIDEO, SHOPPING = "search", "social", "video", "shopping"
# By brand: the name alone ("google"), or the site of that name under any public suffix ("www.google.co.uk").
BRANDS: dict[str, str] = {
    name: kind
    for kind, names in {
        SEARCH: "360search alltheweb altavista aol ask auone baidu biglobe bing brave centrum comcast daum dogpile "
        "duckduckgo ecosia eniro exalead excite globo google kagi kvasir lycos metager mojeek msn najdi naver onet "
        "petalsearch presearch qwant rakuten rambler seznam sogou startpage startsiden swisscows terra virgilio yahoo "
        "yandex",
        SOCIAL: "ameba ameblo artstation askubuntu badoo blogger blogspot bluesky buzzfeed classmates couchsurfing "
        "crunchyroll cyworld deviantart dianping digg diigo disqus douban facebook fandom fark fb flickr "
        "flipboard foursquare getpocket glassdoor goodreads hi5 hootsuite houzz hubpages ig imvu instagram "
        "instapaper kakao kakaotalk librarything linkedin livejournal mastodon medium meetup messenger mixi "
        "myanimelist myheritage myspace nextdoor niconico nicovideo odnoklassniki photobucket pinterest pixiv "
        "plurk quora qzone ravelry reddit renren researchgate reverbnation scribd serverfault sharechat "
        "sina-weibo skype skyrock slashdot slideshare smartnews snapchat stackexchange stackoverflow superuser taringa "
        "techmeme telegram tencent threads tiktok tripadvisor trustpilot tuenti tumblr twitter typepad viadeo "
        "vkontakte wattpad wechat weebly weibo whatsapp wikihow wordpress xing yammer yelp zalo",
        VIDEO: "bilibili crackle curiositystream dailymotion disneyplus hulu iqiyi netflix rumble rutube ted twitch "
        "veoh vevo vimeo wistia youku youtube",
        SHOPPING: "alibaba aliexpress amazon bestbuy bigcommerce bol cdiscount ebay etsy flipkart idealo jd kelkoo "
        "lazada mercadolibre mercadolivre newegg otto pricegrabber pricerunner shein shopee shopify "
        "shopping shopzilla stripe target taobao temu tmall walmart wayfair wish zalando",
    }.items()
    for name in names.split()
}
# By whole name, where the brand alone would say too much or too little.
SITES: dict[str, str] = {
    "360.cn": SEARCH,
    "academia.edu": SOCIAL,
    "ask.fm": SOCIAL,
    "blog.naver.com": SOCIAL,
    "bsky.app": SOCIAL,
    "cafe.naver.com": SOCIAL,
    "fb.me": SOCIAL,
    "google play": SEARCH,
    "google shopping": SHOPPING,
    "google-shopping": SHOPPING,
    "groups.google.com": SOCIAL,
    "igshopping": SHOPPING,
    "images.google.com": SEARCH,
    "iq.com": VIDEO,
    "last.fm": SOCIAL,
    "line.me": SOCIAL,
    "lnkd.in": SOCIAL,
    "mastodon.social": SOCIAL,
    "news.google.com": SEARCH,
    "news.ycombinator.com": SOCIAL,
    "ok.ru": SOCIAL,
    "pin.it": SOCIAL,
    "redd.it": SOCIAL,
    "search.aol.com": SEARCH,
    "search.brave.com": SEARCH,
    "search.naver.com": SEARCH,
    "search.yahoo.co.jp": SEARCH,
    "search.yahoo.com": SEARCH,
    "qzone.qq.com": SOCIAL,
    "shop.app": SHOPPING,
    "shopping.google.com": SHOPPING,
    "shopping.naver.com": SHOPPING,
    "shopping.yahoo.co.jp": SHOPPING,
    "shopping.yahoo.com": SHOPPING,
    "so.com": SEARCH,
    "t.co": SOCIAL,
    "t.me": SOCIAL,
    "threads.net": SOCIAL,
    "vk": SOCIAL,
    "vk.com": SOCIAL,
    "wa.me": SOCIAL,
    "x.com": SOCIAL,
    "ya.ru": SEARCH,
    "youtu.be": VIDEO,
}
# Doors to the same site (mobile, link shims, country editions), which say nothing about what it is.
DOORS = re.compile(
    r"^(?:(?:www\d?|m|l|lm|lnkd|mobile|touch|web|wap|lite|amp|old|out|away|apps|player|business|go|[a-z]{2}|[a-z]{2}-[a-z]{2})\.)+"
)
PUBLIC_SUFFIX = re.compile(r"\.(?:com?\.[a-z]{2}|[a-z]{2,4})$")
PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
SHOP_CAMPAIGN = re.compile(r".*(([^a-df-z]|^)shop|shopping).*")
VIDEO_MEDIUM = re.compile(r".*video.*")
MOBILE_PUSH = re.compile(r".*push|.*(mobile|notification).*")
VERSION = 1  # grows when the same traffic comes to belong to another channel
NO_SOURCE = {"", "(direct)"}
NO_MEDIUM = {"", "(none)", "(not set)"}
DISPLAY_MEDIA = {"display", "banner", "expandable", "interstitial", "cpm"}
SOCIAL_MEDIA = {"social", "social-network", "social-media", "sm", "social network", "social media"}
EMAIL_NAMES = {"email", "e-mail", "e_mail", "e mail"}
UNASSIGNED = "Unassigned"
DIRECT = "Direct"
LONGEST_NAME = 100  # of a channel


class _Traffic(NamedTuple):
    """What the rules look at, in lower case: `kind` is the source's, "" for a site that is none of the four."""

    source: str
    medium: str
    campaign: str
    kind: str
    paid: bool

    @property
    def shopping(self) -> bool:
        return self.kind == SHOPPING or bool(SHOP_CAMPAIGN.fullmatch(self.campaign))


RULES: tuple[tuple[str, Callable[[_Traffic], object]], ...] = (
    (DIRECT, lambda t: t.source in NO_SOURCE and t.medium in NO_MEDIUM),
    ("Cross-network", lambda t: "cross-network" in t.campaign),
    ("Paid Shopping", lambda t: t.paid and t.shopping),
    ("Paid Search", lambda t: t.paid and t.kind == SEARCH),
    ("Paid Social", lambda t: t.paid and t.kind == SOCIAL),
    ("Paid Video", lambda t: t.paid and t.kind == VIDEO),
    ("Display", lambda t: t.medium in DISPLAY_MEDIA),
    ("Paid Other", lambda t: t.paid),
    ("Organic Shopping", lambda t: t.shopping),
    ("Organic Social", lambda t: t.kind == SOCIAL or t.medium in SOCIAL_MEDIA),
    ("Organic Video", lambda t: t.kind == VIDEO or VIDEO_MEDIUM.fullmatch(t.medium)),
    ("Organic Search", lambda t: t.kind == SEARCH or t.medium == "organic"),
    ("Referral", lambda t: t.medium in {"referral", "app", "link"}),
    ("Email", lambda t: t.source in EMAIL_NAMES or t.medium in EMAIL_NAMES),
    ("Affiliates", lambda t: t.medium == "affiliate"),
    ("Audio", lambda t: t.medium == "audio"),
    ("SMS", lambda t: "sms" in (t.source, t.medium)),
    ("Mobile Push Notifications", lambda t: t.source == "firebase" or MOBILE_PUSH.fullmatch(t.medium)),
    ("AI Assistant", lambda t: t.medium == "ai-assistant"),
)
CHANNEL_TYPES: dict[str, str] = {
    DIRECT: "organic",
    "Cross-network": "paid",
    "Paid Shopping": "paid",
    "Paid Search": "paid",
    "Paid Social": "paid",
    "Paid Video": "paid",
    "Display": "paid",
    "Paid Other": "paid",
    "Organic Shopping": "organic",
    "Organic Social": "organic",
    "Organic Video": "organic",
    "Organic Search": "organic",
    "Referral": "organic",
    "Email": "owned",
    "Affiliates": "paid",
    "Audio": "paid",
    "SMS": "owned",
    "Mobile Push Notifications": "owned",
    "AI Assistant": "organic",
    UNASSIGNED: "organic",
}


def classify(source: str, medium: str, campaign: str) -> str:
    """Return the default channel group of a traffic source ("" for what is not known); the first rule that fits holds.

    >>> classify("www.google.co.uk", "CPC", "")
    'Paid Search'
    """
    source, medium, campaign = source.strip().lower(), medium.strip().lower(), campaign.strip().lower()
    traffic = _Traffic(source, medium, campaign, kind_of_site(source), paid=bool(PAID.fullmatch(medium)))
    return next((group for group, fits in RULES if fits(traffic)), UNASSIGNED)


def granular(source: str, medium: str, campaign: str) -> str:
    """Return the traffic source itself as a channel; Direct stays what it is, as nothing is told of it.

    >>> granular("google", "CPC", "Spring sale")
    'google / cpc / spring sale'
    """
    source, medium, campaign = source.strip().lower(), medium.strip().lower(), campaign.strip().lower()
    if source in NO_SOURCE and medium in NO_MEDIUM:
        return DIRECT
    name = " / ".join(part or "(not set)" for part in (source, medium, campaign))
    if len(name) <= LONGEST_NAME:
        return name
    # What is cut off must not make two of them one.
    mark = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_NAME - len(mark) - 2]}… {mark}"


def kind_of_site(source: str) -> str:
    """Return search, social, video or shopping for a major site, given by name or host in lower case; else ""."""
    site = DOORS.sub("", source)
    for name in (source, site):
        if name in SITES:
            return SITES[name]
    return BRANDS.get(PUBLIC_SUFFIX.sub("", site), "")
