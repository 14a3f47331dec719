"""Records what the `tokenizers` library answers, for packages/runtime/src/tokenizer.

    python oracles/tokenizers_cases.py TEXTS TOKENIZER_JSON OUT

TEXTS: one sentence a line (own/reviews/calibration.txt), on which three small tokenizers are trained: WordPiece
(BERT), byte-level BPE (RoBERTa) and Unigram (XLM-RoBERTa without its character map). TOKENIZER_JSON is a trained one
(models/sentiment): only its answers are recorded. Writes NAME.json (tokenizer) and NAME.cases.json:
{"maxLength": …, "cases": [{"text", "pair"?, "ids", "typeIds"}]}.
"""

import argparse
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

MAX_LENGTHS = [128, 16]

TRICKY = [
    "", " ", "   ", "\n", "\t\r\n", "a", "A", "!", "...", "?!?!", "-", "--", "—", "’", "don't", "DON'T", "don’t",
    "state-of-the-art", "e.g. this, i.e. that", "U.S.A.", "C++ and C#", "50% off", "$3.50", "1,234,567.89", "3.14e-10",
    "http://example.com/?q=1&r=%20#top", "name@example.com", "@user #hashtag", "snake_case and camelCase", "a/b\\c",
    "(parentheses) [brackets] {braces} <angle>", "\"quoted\" 'single' `tick`", "«guillemets» “smart” ‘quotes’",
    "tabs\tand\nnewlines\r\nhere", "  leading and trailing  ", "double  spaces   triple", "non\u00a0breaking\u00a0space",
    "em\u2003space thin\u2009space", "zero\u200bwidth\u200djoiner", "\ufeffbyte order mark", "soft\u00adhyphen",
    "control\u0000\u0001\u0007chars", "replacement \ufffd char", "private \ue000 use", "café", "cafe\u0301",
    "naïve façade résumé", "Ångström", "ÅNGSTRÖM", "Straße STRASSE", "İstanbul ısı", "ΑΒΓ αβγς", "Привет, мир!", "Ёлка ёж йод",
    "שלום עולם", "مرحبا بالعالم", "हिन्दी में लिखा", "ภาษาไทย", "한국어 문장", "日本語の文章です。", "中文句子，很好！", "混合mixed文字text",
    "ｆｕｌｌｗｉｄｔｈ ＡＢＣ１２３", "ﬁ ligature ﬂ", "½ ⅓ ²³", "™ © ®", "№ ℃ Ⅳ", "→ ⇒ ∀x∈S", "🎬", "🎬🍿", "great film 👍🏽",
    "👨‍👩‍👧‍👦 family", "🇫🇷 flag", "❤️ heart", "🙂 smile 🙃", "𝒜 𝔅 math", "𠜎 rare", "z̷a̶l̵g̴o̸", "e\u0301\u0302\u0303 stacked",
    "[CLS]", "[SEP] in text [MASK]", "<s> and </s>", "<mask>", "[cls] lower", "<unk>[UNK]", "word[SEP]word", " [MASK] ", "a <mask> b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "supercalifragilisticexpialidocious", "pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 99, "x" * 100, "x" * 101, "x" * 300, "ab" * 200, "!" * 80, "é" * 60, "🎬" * 40, "word " * 100, "the film is great. " * 60, "中" * 150,
    "it's we're I'm they'll he'd I've", "IT'S WE'RE", "rock 'n' roll", "o'clock", "5 o'clock's", "l'été", "100km/h", "2nd 3rd 4th",
    "A.B.C", "...dots...", "mid.dle", "end.", "comma,comma", "semi;colon:colon", "under_score", "tilde~ caret^ pipe|", "* star * list",
    "= == ===", "<html><b>bold</b></html>", "{\"json\": [1, 2]}", "x=1; y=2", "def f(x): return x", "ALL CAPS SENTENCE", "MiXeD CaSe",
]

PAIRS = [
    ("", ""), ("a", ""), ("", "b"), ("question", "answer"), ("is it good?", "yes, it is very good indeed"),
    ("short", "a much longer second text that has to be cut because it does not fit into sixteen tokens at all"),
    ("a much longer first text that has to be cut because it does not fit into sixteen tokens at all", "short"),
    ("both texts are rather long and they have to share", "the room between them, each giving up some of its tokens"),
    ("one two three four five six seven", "one two three four five six seven"), ("word " * 100, "word " * 101), ("[SEP]", "</s>"),
]


def wordpiece(lines):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=900, special_tokens=specials, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def byte_level_bpe(lines):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def unigram(lines):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def cases(tokenizer):
    for max_length in MAX_LENGTHS:
        tokenizer.enable_truncation(max_length, strategy="longest_first")
        recorded = []
        for text in TRICKY:
            encoding = tokenizer.encode(text)
            recorded.append({"text": text, "ids": encoding.ids, "typeIds": encoding.type_ids})
        for text, pair in PAIRS:
            encoding = tokenizer.encode(text, pair)
            recorded.append({"text": text, "pair": pair, "ids": encoding.ids, "typeIds": encoding.type_ids})
        yield {"maxLength": max_length, "cases": recorded}
    tokenizer.no_truncation()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    lines = arguments.texts.read_text().splitlines()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = {"wordpiece": wordpiece(lines), "byte-level-bpe": byte_level_bpe(lines), "unigram": unigram(lines)}
    for name, tokenizer in made.items():
        (arguments.out / f"{name}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False) + "\n")
    for name, tokenizer in (made | {"sentiment": Tokenizer.from_file(str(arguments.tokenizer))}).items():
        text = json.dumps(list(cases(tokenizer)), ensure_ascii=False, separators=(",", ":"))
        (arguments.out / f"{name}.cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
