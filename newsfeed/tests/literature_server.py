"""PubMed's E-utilities and Crossref on this machine: invented records in the shapes that both document."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

from sermo.fetching import Fetched

EFETCH = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2026//EN"
 "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_260101.dtd">
<PubmedArticleSet>{articles}</PubmedArticleSet>"""

RECORD = """<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">
<PMID Version="1">{pmid}</PMID>
<Article PubModel="Print-Electronic">
 <Journal><ISSN IssnType="Electronic">0000-0027</ISSN><JournalIssue CitedMedium="Internet"><Volume>12</Volume>
  <PubDate><Year>2026</Year><Month>Nov</Month></PubDate></JournalIssue>
  <Title>Heartline</Title><ISOAbbreviation>Heartline</ISOAbbreviation></Journal>
 <ArticleTitle>{title}</ArticleTitle>
 <ELocationID EIdType="pii" ValidYN="Y">S0000</ELocationID>
 {doi}
 <Abstract><AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Levels of CO<sub>2</sub> &lt; 40.</AbstractText>
  <AbstractText Label="RESULTS">It did not differ (<i>P</i> = 0.4).</AbstractText></Abstract>
 <AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>O’Shea</LastName><ForeName>Kim Jo</ForeName>
  <Initials>KJ</Initials></Author><Author><CollectiveName>HALCYON Investigators</CollectiveName></Author></AuthorList>
 <Language>eng</Language>
 <PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType>{types}</PublicationTypeList>
 {online}
</Article>
{notes}
<MeshHeadingList><MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">Atrial Fibrillation</DescriptorName>
 <QualifierName UI="Q1">therapy</QualifierName></MeshHeading>
 <MeshHeading><DescriptorName UI="D2">Humans</DescriptorName></MeshHeading></MeshHeadingList>
<KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">patch <i>screening</i></Keyword></KeywordList>
</MedlineCitation>
<PubmedData><History><PubMedPubDate PubStatus="entrez"><Year>2026</Year><Month>11</Month><Day>5</Day>
 <Hour>6</Hour></PubMedPubDate></History>
 <ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList>
 <ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.5555/cited</ArticleId></ArticleIdList></Reference>
 </ReferenceList></PubmedData></PubmedArticle>"""

ONLINE = '<ArticleDate DateType="Electronic"><Year>2026</Year><Month>11</Month><Day>03</Day></ArticleDate>'


def record(
    pmid=99900001,
    title="A Patch for Atrial Fibrillation.",
    doi="10.5555/HL.1",
    types=(),
    notes="",
    online=ONLINE,
):
    """One citation, with `types` as further publication types and `notes` as comments and corrections."""
    doi = f'<ELocationID EIdType="doi" ValidYN="Y">{doi}</ELocationID>' if doi else ""
    types = "".join(f"<PublicationType>{each}</PublicationType>" for each in types)
    return RECORD.format(pmid=pmid, title=title, doi=doi, types=types, notes=notes, online=online)


def efetch(*records):
    return EFETCH.format(articles="".join(records)).encode()


def work(number=1, **facts):
    """One work as Crossref has it."""
    return {
        "DOI": f"10.5555/CR.{number}",
        "type": "journal-article",
        "title": [f"A Review of <i>Candida</i>, Part {number}"],
        "container-title": ["Invented Reviews"],
        "author": [
            {"given": "Jean-Paul", "family": "Moreau", "sequence": "first"},
            {"name": "Invented Group", "sequence": "additional"},
        ],
        "issued": {"date-parts": [[2026, 11, 4]]},
        "created": {"date-parts": [[2026, 11, 1]], "date-time": "2026-11-01T10:00:00Z"},
        "language": "en",
        "subject": ["Mycology"],
        "abstract": "<jats:title>Abstract</jats:title><jats:sec><jats:title>Aims</jats:title>"
        "<jats:p>To <jats:italic>see</jats:italic>.</jats:p></jats:sec>",
        **facts,
    }


def works(*items):
    message = {"total-results": len(items), "items": list(items)}
    return json.dumps({"status": "ok", "message-type": "work-list", "message": message}).encode()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.asked.append(
            (parts.path, {name: each[0] for name, each in parse_qs(parts.query).items()})
        )
        status, body = self.server.answers.get(parts.path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        return


@contextmanager
def literature_server():
    """A server with `answers`, a status and body by path, and with what was `asked` of it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answers, server.asked = {}, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def fetch(url):
    answer = httpx.get(url, trust_env=False)
    return Fetched(url, answer.status_code, answer.headers, answer.content)
