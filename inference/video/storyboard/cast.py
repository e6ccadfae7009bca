"""Who is in the shot and how they look, from the bible's words or a stable invention."""

from __future__ import annotations

import re
import unicodedata

from inference.video.storyboard.noise import random_of
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.script import CameraMove, Shot
from storyforge.domain.wire import Wire

MAX_FIGURES = 5  # more would hide each other; the slate counts the rest

_COLOUR_WORDS = {
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
_KINDS = {
    "fox": "fox$ foxes$ vixen$ fuchs$ füchsin renard$ zorro$ zorra$ лис$ лиса$ лисица 狐 여우",
    "wolf": "wolf$ wolves$ wölfin loup$ loups$ lobo$ loba$ волк$ 狼 늑대",
    "dog": "dog$ dogs$ puppy$ hound$ hund$ hündin chien$ perro$ perra$ собака пёс$ 狗 犬 개$",
    "cat": "cat$ cats$ kitten$ katze$ kater$ chat$ chatte$ gato$ gata$ кот$ кошка 猫 고양이",
    "bear": "bear$ bears$ grizzly$ bär$ bären$ bärin ours$ oso$ osa$ медвед 熊 곰",
    "rabbit": "rabbit hare$ bunny hase$ hasen$ kaninchen lapin$ conejo liebre заяц зайц 兔 토끼",
    "bird": "bird$ birds$ owl$ raven$ crow$ vogel$ eule$ rabe$ hibou$ corbeau oiseau búho$ cuervo"
    " pájaro птица сова ворон$ 鸟 鳥 猫头鹰 새$",
    "horse": "horse$ horses$ pony$ unicorn pferd$ einhorn cheval$ licorne caballo unicornio лошад"
    " конь$ 马 馬 말$",
    "dragon": "dragon$ dragons$ drache$ drachen$ dragón дракон 龙 龍 竜 용$",
    "robot": "robot$ robots$ android$ droid$ automaton roboter робот 机器人 ロボット 로봇",
    "astronaut": "astronaut cosmonaut spacesuit raumanzug космонавт 宇航员 宇宙飛行士 우주비행사",
}
_FEATURES = {
    "hat": "hat$ fedora cap$ hut$ chapeau sombrero шляп 帽 모자",
    "witch_hat": "witch wizard sorcer hexe zauberer magicien sorci bruj mago волшебн ведьм колдун"
    " 巫 魔法使 마법사",
    "crown": "crown king$ queen$ prince$ princess könig prinz$ prinzess roi$ reine$ rey$ reina корол принц царь"
    " царев 王 皇 公主 왕",
    "hood": "hood cloak cape$ cowl kapuze umhang mantel capuch manteau капюш плащ 斗篷 披风 망토",
    "beard": "beard bearded bart$ bärtig barbe barba борода бород 胡 髭 수염",
    "dress": "dress$ gown skirt kleid robe$ vestido falda плать 裙 ドレス 드레스",
    "coat": "coat$ trench jacket mantel jacke abrigo пальто 大衣 外套 코트",
    "long_hair": "long hair braid ponytail zopf lange haare tresse trenza коса косы 长发 長い髪 辫",
    "glasses": "glasses spectacles goggles brille lunettes gafas очки 眼镜 眼鏡 안경",
    "scarf": "scarf schal écharpe bufanda шарф 围巾 マフラー 목도리",
    "staff": "staff$ cane$ stick$ stab$ bâton bastón посох 杖 지팡이",
    "lantern": "lantern laterne lanterne linterna фонар 灯笼 ランタン 등불",
    "child": "child girl boy kid$ mädchen junge$ kind$ fille garçon enfant niñ девоч мальчик ребён"
    " 孩 女孩 男孩 少年 少女 子供 아이 소녀 소년",
}
_HAIR_WORDS = "hair$ haired beard$ bearded braid braids bart$ haar haare haaren zopf cheveux barbe pelo$ barba борода волос"
_CLOTHES = ("#b4493f", "#3f6f9f", "#d39a3c", "#5c8a57", "#80559b", "#c96f8b", "#3c8d8a", "#8d5f3c")
_COATS = ("#9a8258", "#5f6673", "#6b4f3c", "#4d5a48")
_HAIR = ("#2e2421", "#5a3a26", "#8a5a2f", "#c9953f", "#a8452c", "#d9d4cc", "#3a3342")
_SKIN = ("#f3cfae", "#e6b58e", "#c98d62", "#9c6541", "#6f442b")


class FigurePlan(Wire):
    """One figure: name, kind, colours and features; where it stands and what it does.

    named_colours: how many of the two colours the bible's words gave. place: -1 (left) to 1 (right). size: of the frame's unit. walking: steps or stands.
    """

    name: str
    kind: str
    cloth: str
    second: str
    named_colours: int
    hair: str
    skin: str
    features: tuple[str, ...]
    place: float
    size: float
    faces_right: bool
    walking: bool
    phase: float


def _has(stems: str, tokens: set[str], text: str) -> bool:
    for stem in stems.split():
        core = stem.rstrip("$")
        if ord(core[0]) > 0x2E7F:  # noqa: PLR2004 - CJK: no word spaces
            if core in text:
                return True
        elif stem.endswith("$"):
            if core in tokens:
                return True
        elif any(token.startswith(core) for token in tokens):
            return True
    return False


def _first(table: dict[str, str], tokens: set[str], text: str) -> list[str]:
    return [name for name, stems in table.items() if _has(stems, tokens, text)]


def _colours(text: str) -> tuple[list[str], str]:
    """The colours of clothes in the order of the text, and the colour of hair or beard.

    A colour is the hair's when a word for hair stands one or two words after it.
    """
    tokens = re.findall(r"[^\W\d_]+", text)
    clothes: list[str] = []
    hair = ""
    for at, token in enumerate(tokens):
        for colour in _first(_COLOUR_WORDS, {token}, token):
            after = set(tokens[at + 1 : at + 3])
            if _has(_HAIR_WORDS, after, " ".join(after)):
                hair = hair or colour
            elif colour not in clothes:
                clothes.append(colour)
    return clothes, hair


def find_character(name: str, bible: SceneBible) -> Character | None:
    """The bible's character of an id, a name or an alias."""
    wanted = name.strip().casefold()
    for one in bible.characters:
        if wanted in {one.id.casefold(), one.name.casefold(), *(a.casefold() for a in one.aliases)}:
            return one
    return None


def _looks(name: str, known: Character | None) -> dict[str, object]:
    """Colours, kind and features: from words where there are some, else invented by the name."""
    words = " ".join((name, known.appearance, *known.traits) if known else (name,))
    text = unicodedata.normalize("NFC", words).casefold()
    tokens = set(re.findall(r"[^\W\d_]+", text))
    rng = random_of("looks", known.id if known else name.casefold())
    colours, hair = _colours(
        unicodedata.normalize("NFC", known.appearance).casefold() if known else ""
    )
    kinds = _first(_KINDS, tokens, text)
    features = _first(_FEATURES, tokens, text)
    invented = ("hat", "hood", "long_hair", "scarf", "coat", "dress", "beard", "")
    if not features:
        features = [one for one in (invented[int(rng.integers(len(invented)))],) if one]
    wardrobe = _COATS if "coat" in features else _CLOTHES
    cloth = colours[0] if colours else wardrobe[int(rng.integers(len(wardrobe)))]
    second = colours[1] if len(colours) > 1 else _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    return {
        "name": known.name if known else name,
        "kind": kinds[0] if kinds else "person",
        "cloth": cloth,
        "named_colours": len(colours),
        "second": second,
        "hair": hair or _HAIR[int(rng.integers(len(_HAIR)))],
        "skin": _SKIN[int(rng.integers(len(_SKIN)))],
        "features": tuple(features),
        "child": "child" in features,
    }


# Creatures beside people of size 1.
_SIZES = {
    "fox": 0.62,
    "wolf": 0.85,
    "dog": 0.70,
    "cat": 0.55,
    "rabbit": 0.6,
    "bird": 0.55,
    "bear": 0.92,
    "horse": 1.2,
    "dragon": 1.5,
}
_WALK = (
    "walk run$ runs ran$ step stride wander march hurr follow chase cross geht$ läuft lief ging"
    " wander rennt eilt march cour suivi camin corr anda идёт идет шёл шел беж 走 跑 歩 걷 달"
)


def cast_of(shot: Shot, bible: SceneBible, seed: int) -> tuple[tuple[FigurePlan, ...], int]:
    """The figures to draw, left to right, and how many found no room."""
    names = list(dict.fromkeys(name for name in shot.characters if name.strip()))
    shown = names[:MAX_FIGURES]
    text = shot.prompt.casefold()
    walks = shot.camera is CameraMove.TRACKING or _has(
        _WALK, set(re.findall(r"[^\W\d_]+", text)), text
    )
    rng = random_of("cast", seed, shot.prompt)
    side = float(rng.choice((-1.0, 1.0)))
    figures = []
    for at, name in enumerate(shown):
        looks = _looks(name, find_character(name, bible))
        child = bool(looks.pop("child"))
        if len(shown) == 1:
            place = side * 0.30
        else:
            place = -0.62 + 1.24 * at / (len(shown) - 1) if len(shown) > 2 else (-0.34, 0.34)[at]  # noqa: PLR2004 - a pair
        beast = _SIZES.get(str(looks["kind"]), 1.0)
        size = beast * (0.44, 0.40, 0.36, 0.33, 0.31)[len(shown) - 1] * (0.74 if child else 1.0)
        place += float(rng.uniform(-0.04, 0.04))
        faces_right = place < 0
        if shot.camera is CameraMove.TRACKING:
            faces_right = True
        figures.append(
            FigurePlan.model_validate(
                {
                    **looks,
                    "place": round(place, 3),
                    "size": round(size, 3),
                    "faces_right": faces_right,
                    "walking": walks,
                    "phase": round(float(rng.uniform(0, 6.28)), 3),
                }
            )
        )
    return tuple(figures), max(0, len(names) - len(shown))
