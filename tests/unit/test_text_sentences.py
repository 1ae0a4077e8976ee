import pytest

from pipeline.text.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["그는 3.5%라고 했다.", "끝이다."],
        ['"안녕하세요."라고 말했다.', '이어 "네."', "그는 갔다."],
        ["Mr. J. Smith of the U.S. Treasury said so.", '"Why?" he asked.', "It rose 3.5 pct."],
        ["See www.narae.example for more.", "It is No. 5."],
        ["他说：“好。”", "她走了。", "真的吗？"],
        ["「そうです。」と述べた。", "次の文。"],
        ["قال ذلك.", "هل هذا صحيح؟", "نعم."],
        ["यह सच है।", "ठीक है।"],
        ["He left…", "Then he came back."],
    ],
)
def test_sentences_of_every_script(sentences):
    text = " ".join(sentences)
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


def test_korean_sentences_without_a_space_between():
    text = "비가 왔다.강이 넘쳤다."
    assert [text[s:e] for s, e in split_sentences(text)] == ["비가 왔다.", "강이 넘쳤다."]


def test_a_text_without_an_end_is_one_sentence():
    assert split_sentences("  no end here ") == [(2, 13)]
    assert split_sentences(" ") == []
