"""What a text says about place, weather and things, by key words of several languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

# Stems; a token that begins with one counts. `*stem` may stand anywhere in a token (German
# compounds), `stem$` must be the whole token. Han, kana and Hangul words are looked for anywhere.
_SETTING_WORDS: Mapping[str, str] = {
    "forest": "forest$ forests wood$ woods$ woodland jungle grove thicket tree$ trees$ *wald$ wälder waldes"
    " dschungel baum bäume *bäumen forêt bois$ jungle arbre bosque selva árbol foresta bosco"
    " floresta orman лес$ лесу$ леса$ лесн дерево$ дерева$ деревья$ деревьев$ деревьях$ δάσος 森 林 숲 غابة יער जंगल",
    "mountains": "mountain peak$ peaks$ summit cliff canyon alps volcano gebirge *berge$ *bergen$"
    " *berg$ gipfel klippe montagne sommet falaise montaña cumbre acantilado montagna montanha dağ"
    " горы$ гора$ горах$ горн βουν 山 峰 산$ 산을 산의 جبل הר$ पहाड़",
    "hills": "hill valley countryside hügel tal$ flusstal landschaft colline vallée colina"
    " valle$ холм 丘 谷 언덕",
    "meadow": "meadow field$ fields$ garden$ gardens flower grass$ prairie orchard wiese feld$ felder garten"
    " blume prairie$ champ$ jardin fleur pradera campo$ jardín flor$ flores giardino prato сад$"
    " поле$ луг 花 草 園 庭 꽃 정원 حديقة",
    "sea": "sea$ seas$ ocean beach coast$ coasts shore shores wave$ waves$ island$ islands sail$ sails$"
    " lighthouse *leuchtturm phare$ faro$ farol$ маяк 灯塔 灯台 등대 منارة meer$ meeres *küste"
    " strand insel ozean wellen mer$ océan plage côte$ vagues$ île mar$ océano playa costa olas$"
    " isla oceano spiaggia mare$ deniz море$ моря$ морем$ океан пляж остров θάλασσα 海 島 岛 沙滩"
    " 砂浜 바다 섬 بحر شاطئ ים$ समुद्र",
    "pier": "pier$ piers$ dock$ docks$ quay$ quays$ jetty$ wharf$ harbour$ harbor$ port$ hafen$ hafens$"
    " *hafen$ steg$ port$ quai$ jetée muelle puerto porto$ molo$ пристан порт$ порту$ 码头 港口 港 埠頭"
    " 항구 ميناء",
    "deck": "deck$ decks$ aboard$ quarterdeck helm$ mast$ masts$ mainmast ship$ ships$ schiff$ schiffes$ schiffe$"
    " *schiff$ kajüte bateau$ navire cubierta barco$ barcos$ buque nave$ navio$ корабл палуб"
    " 甲板 船上 船 gemi$ سفينة",
    "boat": "boat$ boats$ rowboat rowed$ rowing$ dinghy canoe$ boot$ boote$ ruderboot kahn$ nachen$ ruderte$"
    " ruderten$ barque$ canot$ ramer$ bote$ barca$ remaba$ лодк 小船 小舟 ボート قارب",
    "lake": "lake river pond stream$ brook waterfall *fluss weiher seeufer bergsee waldsee"
    " flusses *bach$ teich lac$ ufer$ riverbank riverside"
    " rivière étang fleuve lago río$ arroyo estanque fiume rio$ göl озер рек$ реке$ река$ реки$ рекой$ берег λίμνη"
    " 湖 江 河 池 川 호수 강가 بحيرة נהר नदी",
    "city": "city cities town$ towns$ skyline metropolis downtown skyscraper megacity"
    " *stadt$ städte *stadt wolkenkratzer ville$ villes$ gratte-ciel ciudad"
    " rascacielos città cidade şehir город πόλη 城市 城里 都市 都会 街 東京 上海 駅 도시 مدينة עיר$ शहर",
    "rooftop": "rooftop rooftops roof$ roofs$ dach$ dächer dächern toit$ toits$ azotea$ azoteas$ tejado tetto$"
    " tetti$ telhado крыш 屋顶 屋上 屋根の上",
    "bridge": "bridge$ bridges$ *brücke$ *brücken$ pont$ ponts$ puente ponte$ мост$ мосту$ моста$ 桥 橋 다리"
    " جسر גשר पुल",
    "street": "street$ streets$ market$ marketplace markt$ marktplatz marché$ mercado mercato рынок$ рынк"
    " 市场 集市 市場 سوق alley lamppost pavement sidewalk boulevard *straße *strasse *gasse$ gassen"
    " laterne rue$ rues$ ruelle trottoir réverbère calle$ calles$ callejón farola acera strada"
    " rua$ sokak улиц переул δρόμος 街道 巷 路地 통 골목 شارع רחוב सड़क",
    "village": "house$ haus$ hause$ maison casa$ дом$ доме$ village cottage hamlet farm barn$"
    " hut$ huts$ dorf$ dorfes dörfer hütte bauernhof"
    " häuschen chaumière ferme$ cabane hameau pueblo aldea granja cabaña villaggio vila$ köy"
    " деревн избушк изба$ χωριό 村 村庄 小屋 마을 오두막 قرية כפר गाँव गांव",
    "castle": "castle$ castles palace fortress tower$ towers$ kingdom *schloss schlosses *burg$"
    " burgen palast turm$ festung königreich château palais forteresse royaume castillo"
    " palacio fortaleza reino$ torre$ castello castelo kale$ saray замок замк дворц башн κάστρο"
    " 城堡 宫殿 宮殿 城塞 お城 塔 성$ 궁전 قصر טירה महल",
    "hall": "throne ballroom banquet hall$ church$ cathedral chapel temple$ monastery thronsaal *saal$ saal$"
    " kirche$ *kirche$ kapelle kathedrale tempel kloster église chapelle cathédrale iglesia capilla"
    " catedral templo chiesa тронн зал$ зале$ зала$ церк храм 大厅 教堂 寺庙 大広間 教会 神社",
    "desert": "desert$ deserts dune$ dunes$ oasis sand$ sands$ camel$ camels$ caravan pyramid *wüste düne sanddüne désert"
    " dune$ sable$ desierto duna camello deserto çöl пустын έρημος 沙漠 砂漠 沙丘 사막 صحراء"
    " מדבר रेगिस्तान",
    "kitchen": "kitchen bakery oven$ *küche$ küche bäckerei backstube cuisine$ boulangerie cocina$ panadería"
    " cucina$ cozinha кухн 厨房 台所 부엌 مطبخ",
    "room": "room$ rooms$ bedroom attic library office$ offices inside window hospital school$ classroom shop$"
    " hotel apartment stair stairs$ staircase wohnung laden$ treppe escalier habitación"
    " tavern inn$ parlour parlor lamp$ desk bed$ fireplace café bar$ cellar *zimmer stube$"
    " dachboden bibliothek büro fenster wirtshaus kamin lampe kneipe chambre"
    " grenier bibliothèque bureau fenêtre taverne lampe desván"
    " biblioteca oficina ventana taberna salón stanza$ комнат библиотек окн$"
    " 房间 房間 屋里 室内 图书馆 客栈 酒馆 茶馆 教室 部屋 喫茶店 教室 窓 방$ 방에 غرفة कमरा",
    "cave": "cave$ caves$ cavern grotto tunnel dungeon underground *höhle grotte tunnel"
    " verlies bergwerk caverne grotte souterrain cueva caverna túnel mazmorra mina$ пещер"
    " 洞 洞窟 동굴 كهف מערה गुफा",
    "space": "space$ planet galaxy orbit$ orbits comet$ comets nebula asteroid cosmos rocket"
    " starship spaceship mars$ *weltraum weltall *planet galaxie raumschiff"
    " rakete espace planète galaxie fusée espacio planeta"
    " galaxia cohete spazio космос планет ракет διάστημα"
    " 宇宙 太空 星球 行星 飞船 火箭 우주 행성 فضاء अंतरिक्ष",
    "station": "station$ airlock cockpit spacecraft corridor$ console$ consoles hull$ reactor laboratory"
    " *raumstation *luftschleuse *kommandobrücke labor$ vaisseau sas$ passerelle laboratoire"
    " estación laboratorio esclusa станци отсек 空间站 太空站 飞船上 实验室 宇宙船 우주선",
}

_WEATHER_WORDS: Mapping[str, str] = {
    "rain": "rain$ rains rainy raining rained drizzl downpour wet$ *regen$ regnet regnete regnerisch"
    " pluie pleut pleuvait lluvia llueve llovía pioggia chuva yağmur дожд βροχή 雨 비가 비는 مطر גשם"
    " बारिश",
    "snow": "snow$ snows snowy snowing snowed snowflake blizzard frost$ frosty ice$ icy winter *schnee"
    " schneit schneite verschneit winter eis$ frost neige hiver givre nieve nevada$ nevaba invierno"
    " hielo neve inverno kar$ снег снеж зим мороз χιόνι 雪 冬 눈이 겨울 ثلج שלג बर्फ",
    "fog": "fog$ foggy mist$ mists misty haze$ hazy smoke$ *nebel neblig dunst rauch brouillard brume"
    " niebla bruma humo nebbia névoa туман ομίχλη 雾 霧 안개 ضباب ערפל कोहरा",
    "storm": "storm$ storms stormy thunder lightning tempest *sturm$ gewitter donner$ blitz orage"
    " tempête tonnerre foudre tormenta trueno relámpago tempesta fırtına бур$ буря$ гроз 暴风 嵐 雷"
    " 폭풍 عاصفة סערה तूफ़ान",
    "leaves": "wind$ windy breeze autumn *wind$ herbst blätter vent$ automne feuilles viento"
    " otoño hojas vento autunno rüzgar ветер ветр осен 风 風 秋 바람 가을 ريح רוח",
    "fireflies": "firefl glowworm fairy fairies magic enchant sparkle *glühwürm feen zauber"
    " magisch verzaubert luciole fée magie enchant luciérnaga hada$ magia mágic fata$ волшеб фея"
    " 萤火 蛍 仙 魔法 마법 سحر קסם जादू",
    "sparks": "fire$ fires flame flames ember embers spark sparks campfire dragon$ dragons forge$ burning"
    " feuer$ flamme funken drache drachen schmiede feu$ flammes étincelle dragon fuego llama$"
    " llamas chispa dragón fuoco ateş огонь огня костёр костер дракон 火 炎 龙 龍 竜 불꽃 نار אש$ आग",
    "petals": "blossom cherry petal kirschblüte frühling cerisier pétale printemps cerezo"
    " pétalo primavera вишн весн 桜 樱 梅花 春 벚꽃 봄",
}

# Where the water ends, anywhere in a text; and water without a shore.
_SHORE = (
    "beach coast shore island strand küste insel ufer plage côte rivage playa costa isla orilla spiaggia riva"
    " praia пляж берег остров 海边 海滩 沙滩 岛 砂浜 海辺 島 شاطئ cliff"
)
_OPEN_SEA = "open_sea high_sea ocean offenes_meer hohe_see haute_mer alta_mar океан"

_THING_WORDS: Mapping[str, str] = {
    "ship": "nave$ ship$ ships boat$ boats sail$ sails vessel ferry schiff$ schiffe *schiff$ boot$ boote"
    " segel bateau navire voile barque barco velero bote$ navio gemi корабл лодк πλοίο 船 舟"
    " 배를 배가 سفينة ספינה जहाज",
    "lighthouse": "lighthouse *leuchtturm phare$ faro$ farol маяк φάρος 灯塔 灯台 등대 منارة מגדלור",
    "fire": "campfire bonfire lagerfeuer feu$ hoguera fogata костёр костер 篝火 焚き火 모닥불",
    "dragon": "dragon *drache дракон dragón 龙 龍 竜 용이 تنين דרקון",
    "bridge": "bridge$ bridges brücke pont$ puente мост 桥 橋 다리 جسر גשר पुल",
    "moon": "moon$ mond$ mondes vollmond la_lune la_luna луна$ луну$ луны$ луной$ φεγγάρι 月亮 明月 满月 満月 月が 月は 달이 قمر"
    " ירח चाँद",
    "mill": "windmill mill$ mühle *mühle moulin molino мельниц 风车 風車",
    "birds": "bird$ birds gull$ gulls crow$ crows raven vogel vögel möwe krähe rabe oiseau mouette corbeau"
    " pájaro gaviota cuervo птиц чайк ворон 鸟 鳥 새가 طائر ציפור चिड़िया",
    "dark_lamp": "went_out gone_dark went_dark goes_dark cold_lamp no_light unlit erlosch erloschen éteint apagó",
    "modern": "car$ cars$ taxi bus$ train$ trains subway metro tram neon skyscraper elevator phone computer"
    " airport plane$ office$ auto$ autos zug$ *bahn$ telefon wolkenkratzer voiture métro téléphone coche$ tren$"
    " автомобил метро поезд 汽车 地铁 电话 电梯 高楼 電車 駅 車 سيارة",
    "palm": "palm$ palms$ oasis palme$ palmen$ palmier palmera пальм 棕榈 椰 ヤシ نخل",
    "alien": "alien robot android cyborg ufo roboter außerirdisch extraterrestre робот 机器人 외계",
}

# What only compares is not there: "arrows fell like rain", "waves as high as houses".
_COMPARED = re.compile(
    r"\b(?:as \w+ as|like|than|wie ein\w*|wie der|wie die|wie das|comme|como|como un\w*|\u043a\u0430\u043a|\u0441\u043b\u043e\u0432\u043d\u043e|\u0431\u0443\u0434\u0442\u043e)"
    r"(?: (?:a|an|the|une?|des|le|la|les|un|una|unos))?(?: \w+){1,2}"
    r"|(?:像|如同|仿佛)[^，。！？]{1,6}|[^、。]{1,4}のよう"
)


def literal(text: str) -> str:
    """The text folded, without what it only compares something to."""
    return _COMPARED.sub(" ", unicodedata.normalize("NFC", text).casefold())


_TOKEN = re.compile(r"[\w'-]+", re.UNICODE)
_ARABIC_ARTICLE = re.compile(r"^[وفبك]?ال(?=\w{3})")
_IDEOGRAPHIC = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=1)
def _rules() -> dict[str, dict[str, tuple[str, ...]]]:
    tables = {"setting": _SETTING_WORDS, "weather": _WEATHER_WORDS, "thing": _THING_WORDS}
    return {
        table: {name: tuple(words.split()) for name, words in rows.items()}
        for table, rows in tables.items()
    }


def _score(stems: tuple[str, ...], tokens: list[str], text: str) -> float:
    """How strongly the stems are in the text; early words weigh a little more."""
    score = 0.0
    for stem in stems:
        if _IDEOGRAPHIC.search(stem):
            found = text.find(stem.rstrip("$"))
            score += 1.0 + 0.3 / (1 + found) if found >= 0 else 0.0
            continue
        if "_" in stem:
            score += 1.0 if stem.replace("_", " ") in text else 0.0
            continue
        anywhere, whole = stem.startswith("*"), stem.endswith("$")
        core = stem.strip("*$")
        for at, token in enumerate(tokens):
            if anywhere and whole:
                hit = token.endswith(core)
            elif anywhere:
                hit = core in token
            else:
                hit = token == core if whole else token.startswith(core)
            if hit:
                score += 1.0 + 0.5 / (1 + at)
                break
    return score


def _found(table: str, text: str) -> dict[str, float]:
    folded = literal(text)
    tokens = [_ARABIC_ARTICLE.sub("", token) for token in _TOKEN.findall(folded)]
    scores = {
        name: _score(tuple(stem.casefold() for stem in stems), tokens, folded)
        for name, stems in _rules()[table].items()
    }
    return {name: score for name, score in scores.items() if score > 0}


def settings_in(text: str) -> list[str]:
    """The kinds of place that a text names, the strongest first."""
    scores = _found("setting", text)
    return sorted(scores, key=lambda name: -scores[name])


def weather_in(text: str) -> list[str]:
    """The weathers (and airborne things) that a text names, the strongest first."""
    scores = _found("weather", text)
    return sorted(scores, key=lambda name: -scores[name])


def things_in(text: str) -> list[str]:
    """The larger things that a text names, the strongest first."""
    scores = _found("thing", text)
    return sorted(scores, key=lambda name: -scores[name])


def is_shore(text: str) -> bool:
    """Whether a text speaks of where water ends."""
    folded = literal(text)
    return any(word in folded for word in _SHORE.split())


def is_open_sea(text: str) -> bool:
    """Whether a text speaks of the sea far from land."""
    folded = literal(text)
    return any(word.replace("_", " ") in folded for word in _OPEN_SEA.split())
