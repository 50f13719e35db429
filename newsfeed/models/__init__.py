from newsfeed.models.articles import Article, ArticleSource, ArticleSpecialty, ArticleTopic, Relation
from newsfeed.models.digests import Digest
from newsfeed.models.discussions import Discussion
from newsfeed.models.reading import (
    FeedKey,
    LessOf,
    LogEntry,
    OwnPaper,
    ReadMark,
    SavedArticle,
    SourceFollow,
)
from newsfeed.models.sources import Feed, Host, MappingRule, Region, Source

__all__ = [
    "Article",
    "ArticleSource",
    "ArticleSpecialty",
    "ArticleTopic",
    "Digest",
    "Discussion",
    "Feed",
    "FeedKey",
    "Host",
    "LessOf",
    "LogEntry",
    "MappingRule",
    "OwnPaper",
    "ReadMark",
    "Region",
    "Relation",
    "SavedArticle",
    "Source",
    "SourceFollow",
]
