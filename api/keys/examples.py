"""How to call the API, by examples that are ready to run: with curl, and in Python without any package."""

from dataclasses import dataclass, replace

_BASE_URL = "https://mmm.example.com"


@dataclass(frozen=True, slots=True)
class Example:
    """A thing to do, in two languages; the Python ones go on from each other. `scope`: what a key needs for it."""

    title: str
    text: str
    scope: str
    curl: str
    python: str

    @property
    def curl_label(self) -> str:
        return f"{self.title}, with curl"

    @property
    def python_label(self) -> str:
        return f"{self.title}, in Python"


def filled_in(example: Example, base_url: str) -> Example:
    """Return the example with the address at which this installation is, such as "https://mmm.example.com"."""
    curl, python = (text.replace(_BASE_URL, base_url) for text in (example.curl, example.python))
    return replace(example, curl=curl, python=python)


EXAMPLES = (
    Example(
        title="Connect",
        text="Put the key where your program finds it, and not into its text. What is wrong with a call is said in "
        "“detail” of the answer. The other examples in Python use this function.",
        scope="runs:read",
        curl=r"""export MMM_API_KEY=mmm_...

curl "https://mmm.example.com/api/v1/runs/?page_size=5" \
  -H "Authorization: Bearer $MMM_API_KEY"
""",
        python="""import json, os, time, urllib.error, urllib.request

BASE = "https://mmm.example.com"


def call(path, body=None, **headers):
    request = urllib.request.Request(
        BASE + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['MMM_API_KEY']}",
            "Content-Type": "application/json",
            **headers,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read().decode()
    except urllib.error.HTTPError as refusal:
        raise SystemExit(json.load(refusal)["detail"]) from None
    return text if headers.get("Accept") == "text/csv" else json.loads(text)


for run in call("/api/v1/runs/?page_size=5")["results"]:
    print(run["created_at"], run["kind"], run["status"])
""",
    ),
    Example(
        title="Ask for an attribution run",
        text="The answer says what the run is called, in “id”, and where it is, in “url”. The same question on the "
        "same data is not computed again.",
        scope="attribution:write",
        curl=r"""curl "https://mmm.example.com/api/v1/runs/" \
  -H "Authorization: Bearer $MMM_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"kind": "attribution", "params": {"model": "linear,last", "period": "last_90"}}'
""",
        python="""question = {"kind": "attribution", "params": {"model": "linear,last", "period": "last_90"}}
run = call("/api/v1/runs/", question)
print(run["url"], run["status"])
""",
    ),
    Example(
        title="See whether it is done",
        text="Ask once in a while until “status” is done, failed or cancelled.",
        scope="attribution:read",
        curl=r"""RUN=...  # the “id” of the run

curl "https://mmm.example.com/api/v1/runs/$RUN/?fields=status,progress,error" \
  -H "Authorization: Bearer $MMM_API_KEY"
""",
        python="""while run["status"] in ("queued", "running"):
    time.sleep(2)
    run = call(run["url"])
print(run["status"], run["error"])
""",
    ),
    Example(
        title="Fetch the result as a table",
        text="With “Accept: text/csv” the result comes as CSV, and without it as JSON, in “result”.",
        scope="attribution:read",
        curl=r"""curl "https://mmm.example.com/api/v1/runs/$RUN/" \
  -H "Authorization: Bearer $MMM_API_KEY" \
  -H "Accept: text/csv" \
  -o attribution.csv
""",
        python="""table = call(run["url"], Accept="text/csv")
with open("attribution.csv", "w", encoding="utf-8", newline="") as file:
    file.write(table)
""",
    ),
    Example(
        title="Send touchpoints",
        text="With an Idempotency-Key, a batch that is sent again because its answer was lost is one import all the "
        "same: use a new key for each batch, and keep it with the rows until they are through.",
        scope="touchpoints:write",
        curl=r"""curl "https://mmm.example.com/api/v1/touchpoints/" \
  -H "Authorization: Bearer $MMM_API_KEY" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: touchpoints-2026-05-31-14" \
  -d '{"rows": [
        {"customer": "u-1", "occurred_at": "2026-05-31T14:05:00+02:00", "source": "google", "medium": "cpc"},
        {"customer": "u-2", "occurred_at": "2026-05-31T14:07:00+02:00", "channel": "Email"}]}'
""",
        python="""rows = [
    {"customer": "u-1", "occurred_at": "2026-05-31T14:05:00+02:00", "source": "google", "medium": "cpc"},
    {"customer": "u-2", "occurred_at": "2026-05-31T14:07:00+02:00", "channel": "Email"},
]
batch = call("/api/v1/touchpoints/", {"rows": rows}, **{"Idempotency-Key": "touchpoints-2026-05-31-14"})
print(batch["url"], batch["rejected"], "rows rejected")
""",
    ),
)
