"""The abbreviations of news English, sorted by what may follow their full stop.

Whether a stop after an abbreviation ends the sentence depends less on the abbreviation than on
its kind: a title is always followed by its name, a company's ending may stand last. So each set
is one kind, and `service.stops` has one rule for each. Acronyms with inner stops (U.S., Ph.D.)
and initials (J. K. Rowling) are seen by their shape and need no list.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    """Turn a block of words into a set."""
    return frozenset(text.split())


# Always followed by the name they belong to, even a name that looks like a common word (Mr. So,
# Ms. You): they never end a sentence.
TITLES: Final = _words("""
    mr mrs ms mx dr prof messrs mme mlle rev hon gov govs sen sens rep reps pres supt atty
    gen gens adm col cols lt lieut capt cmdr maj sgt cpl pvt spc pfc brig det insp amb asst assoc
""")

# Stand before a name, but may also come last (Main St. The road …).
PREFIXES: Final = _words("st ste sta sto ft mt pt fr")

# Stand before a number; before anything else they are words, or end the sentence (in Dec. Then …).
BEFORE_NUMBER: Final = _words("""
    no nos vol vols p pp fig figs art sec sect ch chap para rte ext op al c ft lb lbs oz
    jan feb mar apr jun jul aug sep sept oct nov dec
""")

# Tie what stands after them to what stands before, whatever it is; in this spelling only.
LINKS: Final = _words("v vs Vs e.g i.e a.k.a cf viz approx ca incl")

# Capitalised abbreviations that may come last in a sentence: the word after them decides.
ENDINGS: Final = _words("""
    inc corp co cos ltd llc plc bros assn dept univ inst jr sr esq phd ave blvd rd hwy pkwy sq
    mon tue tues wed thu thur thurs fri
""")

# States and provinces. Behind a comma they close an address or a party (Fresno, Calif.; D-N.Y.).
STATES: Final = _words("""
    ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo mont
    neb nev okla ore pa tenn tex va vt wash wis wyo ont que
    d.c n.c n.d n.h n.j n.m n.y r.i s.c s.d w.va b.c p.r
""")

# Words that open a sentence and are hardly ever part of a name: what follows an abbreviation and
# is one of these starts anew.
OPENERS: Final = _words("""
    The A An This That These Those He She It They We You I His Her Its Their Our My
    But And Or Nor Yet If When While As At In On For From By With Without Within After Before
    Since Until Although Though Because However Meanwhile Moreover Instead Still Then There Here
    What Who Why How Where Which Not Some Many Most Several All Both Each Others Another Even Also
    Only Just Nearly Almost Such To Once During Under Despite Following According Among About Over
    Between Through Against Now Today Yesterday Earlier Later Indeed Perhaps Maybe Recently Finally
    He's She's It's They're We're I'm That's There's
    He’s She’s It’s They’re We’re I’m That’s There’s
""")
