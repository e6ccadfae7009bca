"""How somebody looks: kind, colours, clothes and features, read from words or stably invented."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from inference.video.storyboard.colour import luma, rgb
from inference.video.storyboard.noise import random_of

_COLOUR_WORDS: Mapping[str, str] = {
    "#c23b3b": "red$ reddish crimson scarlet rot$ rote roten roter rotes rouge roj красн 红 紅 赤 빨간",
    "#d9722e": "orange ginger copper kupfer roux naranja рыж 橙",
    "#e4b93f": "yellow gold golden gelb blond blonde jaune doré amarill dorad жёлт золот 黄 金 노란",
    "#4f8a4c": "green emerald grün vert$ verte verde зелён зелен 绿 緑 초록",
    "#3d6fae": "blue navy azure blau bleu azul син голуб 蓝 藍 青 파란",
    "#7a4fa0": "purple violet lila violett pourpre$ morad púrpur фиолет 紫 보라",
    "#d98aa8": "pink rosa rose$ розов 粉 분홍",
    "#2b2b33": "black$ dark$ schwarz noir$ noire negr чёрн черн 黑 黒 검은",
    "#efeae0": "white pale weiß weiss blanc blanch blanc бел 白 흰",
    "#8c8f99": "grey gray silver grau silber gris argent platead сер серебр 灰 银 銀 회색",
    "#7b5336": "brown leather braun brun marron marrón коричн 棕 褐 茶 갈색",
    "#2f9c95": "teal turquoise türkis бирюз",
}
KINDS: Mapping[str, str] = {
    "fox": "fox$ foxes$ vixen$ fuchs$ füchsin renard$ zorro$ zorra$ лис$ лиса$ лисица 狐 여우",
    "wolf": "wolf$ wolves$ wölfin loup$ loups$ lobo$ loba$ волк$ 狼 늑대",
    "dog": "dog$ dogs$ puppy$ hound$ hund$ hündin chien$ perro$ perra$ собака пёс$ 狗 犬 개$",
    "cat": "cat$ cats$ kitten$ katze$ kater$ chat$ chatte$ gato$ gata$ кот$ кошка 猫 고양이",
    "bear": "bear$ bears$ grizzly$ bär$ bären$ bärin ours$ oso$ osa$ медвед 熊 곰",
    "rabbit": "rabbit hare$ bunny hase$ hasen$ kaninchen lapin$ conejo liebre заяц зайц 兔 토끼",
    "bird": "bird$ birds$ parrot$ papagei$ perroquet$ loro$ попугай$ 鹦鹉 owl$ raven$ crow$ vogel$ eule$ rabe$ hibou$ corbeau oiseau búho$ cuervo"
    " pájaro птица сова ворон$ 鸟 鳥 猫头鹰 새$",
    "deer": "deer$ stag$ stags$ doe$ fawn$ hirsch$ hirsche$ reh$ rehe$ cerf$ biche$ ciervo olen$ олень$ оленя$ 鹿 사슴",
    "camel": "camel$ camels$ kamel$ kamele$ chameau$ chameaux$ camello верблюд 骆驼 ラクダ جمل",
    "mouse": "mouse$ mice$ maus$ mäuse$ souris$ ratón$ мышь$ мышка$ мышонок$ 老鼠 ネズミ 鼠",
    "horse": "horse$ horses$ pony$ unicorn pferd$ einhorn cheval$ licorne caballo unicornio лошад"
    " конь$ 马 馬 말$",
    "dragon": "dragon$ dragons$ drache$ drachen$ dragón дракон 龙 龍 竜 용$",
    "robot": "robot$ robots$ android$ droid$ automaton roboter робот 机器人 ロボット 로봇",
    "astronaut": "astronaut cosmonaut spacesuit raumanzug космонавт 宇航员 宇宙飛行士 우주비행사",
}
_FEATURES: Mapping[str, str] = {
    "hat": "hat$ fedora cap$ kappe$ mütze$ hut$ chapeau sombrero шляп 帽 모자",
    "witch_hat": "witch wizard sorcer hexe zauberer magicien sorci bruj mago волшебн ведьм колдун"
    " 巫 魔法使 마법사",
    "crown": "crown king$ queen$ prince$ princess könig prinz$ prinzess roi$ reine$ rey$ reina корол принц царь"
    " царев 王 皇 公主 왕",
    "hood": "hood$ hooded cloak$ cape$ cowl kapuze umhang mantel capuch manteau капюш плащ 斗篷 披风 망토",
    "beard": "beard bearded bart$ bärtig barbe barba борода бород 胡 髭 수염",
    "dress": "dress$ gown skirt kleid robe$ vestido falda плать 裙 ドレス 드레스",
    "coat": "coat$ raincoat$ trench jacket mantel jacke abrigo пальто 大衣 外套 코트",
    "sword": "sword katana sabre$ schwert épée espada spada меч$ мечом$ 剑 劍 剣",
    "long_hair": "long_hair braid ponytail zopf lange_haare langes_haar cheveux_longs pelo_largo tresse trenza коса косы 长发 長い髪 辫",
    "glasses": "glasses$ spectacles goggles brille lunettes gafas очки 眼镜 眼鏡 안경",
    "scarf": "scarf schal écharpe bufanda шарф 围巾 マフラー 목도리",
    "staff": "staff$ cane$ stick$ stab$ bâton bastón посох 杖 지팡이",
    "lantern": "lantern laterne lanterne linterna фонар 灯笼 ランタン 등불",
    "child": "child$ girl$ boy$ kid$ daughter$ son$ tochter$ sohn$ mädchen junge$ kind$ fille$ garçon enfant$ niñ девоч мальчик ребён"
    " 孩 女孩 男孩 少年 少女 子供 아이 소녀 소년",
}
_HAIR_WORDS = "hair$ haired beard$ bearded braid braids bart$ haar haare haaren zopf cheveux barbe pelo$ barba борода волос"
_CLOTHES = ("#b4493f", "#3f6f9f", "#d39a3c", "#5c8a57", "#80559b", "#c96f8b", "#3c8d8a", "#8d5f3c")
_COATS = ("#9a8258", "#5f6673", "#6b4f3c", "#4d5a48")
_HAIR = ("#2e2421", "#5a3a26", "#8a5a2f", "#c9953f", "#a8452c", "#3a3342")
_SKIN = ("#f3cfae", "#e6b58e", "#c98d62", "#9c6541", "#6f442b")
_WHITE = "#d9d4cc"
_OLD = "old$ elderly grandmother grandfather alt$ alte$ alter$ grossmutter grossvater vieux$ vieille$ viejo$ vieja$ abuel стар бабушк дед$ 老 奶奶 عجوز"

_FEMALE = (
    "woman girl$ lady$ mother grandmother daughter sister aunt$ queen princess wife$ witch mrs$ ms$ miss$"
    " frau$ mädchen mutter grossmutter tochter schwester tante$ königin prinzessin hexe$ femme fille$"
    " mère sœur tante$ reine$ princesse madame mujer niña$ chica$ madre$ hija$ hermana abuela reina$"
    " señora donna$ ragazza sorella nonna$ женщин девочк девушк мать$ бабушк сестра$ королев царевн"
    " 女 姑娘 公主 奶奶 少女 娘 姫 母 امرأة بنت أخت"
)
_MALE = (
    "man$ boy$ father grandfather brother uncle king$ prince$ lord$ mr$ sir$ mann$ junge$ vater"
    " grossvater bruder onkel könig$ prinz$ homme garçon père$ frère$ oncle roi$ hombre niño$ padre$"
    " abuelo hermano rey$ señor$ uomo ragazzo мужчин мальчик отец$ дед$ дедушк брат$ король царь"
    " 男 少年 王子 爷爷 父 رجل أخ"
)
_MALE_IN_A = frozenset(
    [
        "luca",
        "joshua",
        "noa",
        "mika",
        "nikita",
        "sasha",
        "ilya",
        "elia",
        "andrea",
        "mustafa",
        "никита",
        "илья",
        "саша",
        "миша",
        "ваня",
        "дима",
        "петя",
    ]
)
_WARDROBE = {
    "she": ("dress", "long_hair", "dress", "scarf", "coat", "long_hair"),
    "he": ("hat", "coat", "scarf", "beard", "", ""),
    "": ("hood", "scarf", "coat", "", "hat", ""),
}
_OVER_ALL = frozenset({"coat", "dress", "hood", "scarf"})
_LEAST_CONTRAST = 0.14  # of luma, or hair is taken for a bald head
PEOPLE = frozenset({"person", "astronaut", "robot"})


def has(stems: str, tokens: set[str], text: str) -> bool:
    """Whether one of the stems is there: a beginning of a token, `word$` a whole one.

    `a_b` is two words with up to two between them; stems without word spaces count anywhere.
    """
    return any(_stem_in(stem, tokens, text) for stem in stems.casefold().split())


def _stem_in(stem: str, tokens: set[str], text: str) -> bool:
    core = stem.rstrip("$")
    if ord(core[0]) > 0x2E7F:  # noqa: PLR2004 - CJK: no word spaces
        return core in text
    if "_" in core:
        first, last = core.split("_")
        return re.search(rf"\b{first}\W+(?:\w+\W+){{0,2}}{last}", text) is not None
    if stem.endswith("$"):
        return core in tokens
    return any(token.startswith(core) for token in tokens)


def named_in(table: Mapping[str, str], tokens: set[str], text: str) -> list[str]:
    """The rows of a table that a text names."""
    return [name for name, stems in table.items() if has(stems, tokens, text)]


def words_of(text: str) -> tuple[set[str], str]:
    """The tokens of a text, and the text as these tables are written."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return set(re.findall(r"[^\W\d_]+", folded)), folded


def _colours(text: str) -> tuple[list[str], str]:
    """The colours of clothes in the order of the text, and the colour of hair or beard.

    A colour is the hair's when a word for hair stands one or two words after it.
    """
    tokens = re.findall(r"[^\W\d_]+", text)
    clothes: list[str] = []
    hair = ""
    for at, token in enumerate(tokens):
        for colour in named_in(_COLOUR_WORDS, {token}, token):
            after = set(tokens[at + 1 : at + 3])
            if has(_HAIR_WORDS, after, " ".join(after)):
                hair = hair or colour
            elif colour not in clothes:
                clothes.append(colour)
    return clothes, hair


def _gender(name: str, tokens: set[str], text: str) -> str:
    """`she`, `he` or "" for the invention of clothes: from words, else from the name's ending."""
    she, he = has(_FEMALE, tokens, text), has(_MALE, tokens, text)
    if she != he:
        return "she" if she else "he"
    first = (name.split() or [""])[0].casefold()
    if first.endswith(("a", "а", "я", "ى", "ة")) and first not in _MALE_IN_A:
        return "she"
    return ""


def looks_of(identity: str, name: str, appearance: str, traits: str) -> dict[str, object]:
    """Colours, kind and features: from words where there are some, else invented by identity."""
    tokens, text = words_of(f"{name} {appearance} {traits}")
    rng = random_of("looks", identity)
    colours, hair = _colours(words_of(appearance)[1])
    kind = next(iter(named_in(KINDS, tokens, text)), "person")
    features = named_in(_FEATURES, tokens, text)
    worn = set(features) - {"child", "staff", "lantern", "glasses"}
    if kind == "person" and not worn:
        pool = _WARDROBE[_gender(name, tokens, text)]
        features += [one for one in (pool[int(rng.integers(len(pool)))],) if one]
    wardrobe = _COATS if "coat" in features else _CLOTHES
    cloth = colours[0] if colours else wardrobe[int(rng.integers(len(wardrobe)))]
    second = colours[1] if len(colours) > 1 else _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    if "hat" in features and len(colours) == 1 and not worn & _OVER_ALL:
        second = cloth  # "a red cap" is red
    skin = _SKIN[int(rng.integers(len(_SKIN)))]
    seen = [one for one in _HAIR if abs(luma(rgb(one)) - luma(rgb(skin))) > _LEAST_CONTRAST]
    invented = _WHITE if has(_OLD, tokens, text) else seen[int(rng.integers(len(seen)))]
    return {
        "kind": kind,
        "cloth": cloth,
        "named_colours": len(colours),
        "second": second,
        "hair": hair or invented,
        "skin": skin,
        "features": tuple(features),
    }
