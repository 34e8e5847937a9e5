"""
Expressions that have to give the same on a proxy ``p`` as on its object.
"""

from __future__ import annotations

#: The source of an object, and below it the expressions, with ``;;`` between them.
TEXT = """
[3, 1, 2]
    len(p) ;; list(p) ;; sorted(p) ;; list(reversed(p)) ;; tuple(p) ;; set(p) ;;
    p + [4] ;; [0] + p ;; p * 2 ;; 2 * p ;; p + p ;; p + (1,) ;; p == [3, 1, 2] ;;
    [3, 1, 2] == p ;; p != [3] ;; p < [4] ;; [4] > p ;; p < 1 ;; 3 in p ;; 9 in p ;;
    9 not in p ;; p[0] ;; p[-1] ;; p[1:] ;; p[9] ;; p['a'] ;; bool(p) ;; not p ;;
    hash(p) ;; p() ;; next(p) ;; -p ;; int(p) ;; float(p) ;; format(p) ;;
    format(p, '>9') ;; f'{p}' ;; p.index(1) ;; p.index(9) ;; p.count(3) ;; p.copy() ;;
    p.pop() ;; p.append(5) ;; p.nothing ;; p @ p ;; max(p) ;; sum(p) ;;
    list(enumerate(p)) ;; list(zip(p, p)) ;; [*p, *p] ;; dir(p) ;; math.floor(p) ;;
    round(p) ;; abs(p) ;; bytes(p) ;; os.fspath(p) ;; list(map(str, p)) ;;
    p.sort(reverse=True) ;; p.sort(key=str) ;; (lambda a, b, c: b)(*p) ;;
    hasattr(p, 'append') ;; hasattr(p, '__len__') ;; hasattr(p, '__call__') ;;
    callable(p) ;; len([] + p) ;; p.__len__() ;; list(iter(p)) ;; p[0:3:2] ;;
    operator.length_hint(p) ;; copy.copy(p) == p ;; ','.join(map(str, p))
[]
    bool(p) ;; len(p) ;; list(p) ;; list(reversed(p)) ;; p.pop() ;; max(p)
list(range(10_000))
    list(p) ;; list(reversed(p)) ;; sum(p) ;; p[9_999]
{'a': 1, 'b': [2]}
    p['a'] ;; p['b'] ;; p['z'] ;; p[[]] ;; len(p) ;; list(p) ;; dict(p) ;; {**p} ;;
    'a' in p ;; 2 in p ;; p.get('z') ;; p.get('z', 5) ;; p.pop('a') ;;
    list(p.items()) ;; list(p.keys()) ;; list(p.values()) ;; sorted(p.keys()) ;;
    p | {'c': 3} ;; {'c': 3} | p ;; p == {'a': 1, 'b': [2]} ;; hash(p) ;;
    list(reversed(p)) ;; p.keys() & {'a', 'z'} ;; 'a' in p.keys() ;; p + p ;;
    p.setdefault('c', 4) ;; p.update(c=1) ;; (lambda **k: k)(**p) ;; p.a
{1, 2, 3}
    p | {4} ;; {4} | p ;; p - {1} ;; {9, 1} - p ;; sorted(p ^ {1, 9}) ;; {1} & p ;;
    1 in p ;; len(p) ;; p <= {1, 2, 3, 4} ;; p < p ;; p.isdisjoint([7]) ;;
    sorted(p) ;; hash(p) ;; p[0] ;; p == {1, 2, 3} ;; p.union([8]) ;; reversed(p)
'text'
    p + '!' ;; '!' + p ;; p[0] ;; p[1:3] ;; 'ex' in p ;; len(p) ;; p.upper() ;;
    p * 2 ;; list(p) ;; p == 'text' ;; p < 'u' ;; hash(p) ;; p.split('e') ;;
    format(p, '>6') ;; p % () ;; p.encode() ;; p.nothing ;; p.title() ;; bool(p)
12
    p + 1 ;; 1 + p ;; p - 1 ;; 1 - p ;; p * 2 ;; 2 * p ;; p / 5 ;; 60 / p ;; p // 5 ;;
    60 // p ;; p % 5 ;; 60 % p ;; p ** 2 ;; 2 ** p ;; pow(p, 2, 5) ;; divmod(p, 5) ;;
    divmod(50, p) ;; p << 2 ;; 1 << p ;; p >> 1 ;; 999 >> p ;; p & 4 ;; 5 & p ;;
    p | 1 ;; 1 | p ;; p ^ 7 ;; 7 ^ p ;; -p ;; +p ;; ~p ;; abs(p) ;; int(p) ;;
    float(p) ;; complex(p) ;; round(p) ;; round(p, -1) ;; math.trunc(p) ;;
    math.floor(p) ;; math.ceil(p) ;; math.sqrt(p) ;; bool(p) ;; operator.index(p) ;;
    list(range(p)) ;; 'abcdefghijklmnop'[p] ;; hash(p) ;; p == 12 ;; p != 12 ;;
    p < 13 ;; p <= 12 ;; p > 12 ;; p >= 12 ;; 12 == p ;; format(p, '04x') ;;
    f'{p:5}' ;; p.bit_length() ;; p.real ;; p / 0 ;; p + 'a' ;; len(p) ;; p[0] ;;
    list(p) ;; p() ;; '%d' % p ;; bin(p) ;; 2.5 * p ;; p @ 2
10 ** 30
    p + 1 ;; p * p ;; int(p) ;; p == 10 ** 30 ;; p % 7 ;; float(p)
2.5
    p + 1 ;; round(p) ;; round(p, 1) ;; int(p) ;; math.floor(p) ;; math.ceil(p) ;;
    p.is_integer() ;; p.hex() ;; divmod(p, 1) ;; p ** 2 ;; p // 1 ;; p & 1 ;;
    math.trunc(p) ;; operator.index(p) ;; format(p, '.3f') ;; p.as_integer_ratio()
(1, (2, 3))
    p[1] ;; p + (4,) ;; len(p) ;; hash(p) ;; p == (1, (2, 3)) ;; [*p]
b'abc'
    p[0] ;; p[1:] ;; p + b'd' ;; p.decode() ;; bytes(p) ;; b'b' in p
bytearray(b'abc')
    p[0] ;; p + b'd' ;; len(p) ;; p.decode() ;; p.append(1)
range(5)
    list(p) ;; p[2] ;; p[1:3] ;; 3 in p ;; list(reversed(p)) ;; len(p)
numbers(5)
    next(p) ;; list(p) ;; 2 in p ;; sum(p) ;; len(p) ;; p[0] ;; p.send(1)
iter([1, 2])
    [*p] ;; next(p) ;; operator.length_hint(p) ;; iter(p) is p
breaks_after(3)
    list(p) ;; next(p)
Countdown(3)
    list(p) ;; list(reversed(p)) ;; len(p) ;; 2 in p ;; next(p)
Old()
    list(p) ;; p[1] ;; p[3] ;; 20 in p ;; 5 in p ;; len(p) ;; reversed(p)
plus_one
    p(1) ;; p('a') ;; p() ;; p(number=4) ;; callable(p) ;; len(p)
Tally(4)
    p.value ;; p.double ;; p.step ;; p.count() ;; p.add(1, 2) ;; p.add(1, b=5) ;;
    p.add() ;; p.add(1, c=2) ;; p.twice(4) ;; p.named() ;; p.nothing ;; p.value() ;;
    hasattr(p, 'value') ;; hasattr(p, 'nothing') ;; getattr(p, 'nothing', 8) ;;
    p == 1 ;; p != 1 ;; p < 1 ;; p == p ;; hash(p) == hash(p) ;; bool(p) ;; len(p) ;;
    p[0] ;; list(p) ;; 1 in p ;; p + 1 ;; 1 + p ;; -p ;; p() ;; abs(p) ;; int(p) ;;
    operator.index(p) ;; next(p) ;; reversed(p) ;; round(p) ;; dir(p) ;;
    sorted(set(dir(p)) - set(dir(object)))[-1] ;; callable(p.add) ;;
    p.fail(KeyError, 'k') ;; p.fail(StopIteration, 3) ;; p.fail(ValueError) ;;
    p.fail(CustomError, 'm', 4) ;; p.is_me(p) ;; p.echo([p])[0] == p
Tally
    p(3).value ;; p.step ;; p.twice(2) ;; p.named() ;; p(1, 2, 3)
datetime.date(2013, 1, 5)
    p.year ;; p.isoformat() ;; p + datetime.timedelta(1) ;; format(p, '%d.%m.') ;;
    p < datetime.date(2014, 1, 1) ;; datetime.date(2014, 1, 1) - p ;; hash(p)
Point(1, 'y')
    p.x ;; p[1] ;; list(p) ;; p._asdict() ;; p == (1, 'y')
Thawed('n')
    p.name ;; p == Thawed('n') ;; hash(p) ;; p == 3
np.arange(6.0).reshape(2, 3)
    p.shape ;; p.sum() ;; p[0, 1] ;; p.dtype.name ;; len(p) ;; p.tolist() ;;
    (p + 1).tolist() ;; (1 + p).tolist() ;; (p * p).sum() ;; (p @ p.T).tolist() ;;
    p.mean(axis=0).tolist() ;; (p > 2).sum() ;; bool(p) ;; p[5] ;; p[p > 2].sum() ;;
    float(p[1, 2]) ;; (-p).min() ;; (p == p).all() ;; p.dtype ;; p.nothing
np.float64(2.5)
    p + 1 ;; float(p) ;; round(p) ;; p.item() ;; p < 3 ;; p.dtype.name
pd.DataFrame({'a': [1, 2, 3], 'b': [4., 5., 6.]})
    p.shape ;; p['a'].sum() ;; p.a.tolist() ;; list(p) ;; len(p) ;; 'a' in p ;;
    p.loc[1, 'b'] ;; p.iloc[0].tolist() ;; (p + 1)['a'].tolist() ;; p['z'] ;;
    p[p.a > 1].shape ;; p[p['b'] < 6]['a'].tolist() ;; p.mean().to_dict() ;;
    bool(p) ;; list(p.columns) ;; p.nothing ;; p.query('a > 1').shape ;;
    (p == p).all().all() ;; p.groupby('a').b.sum().to_dict()
"""


def read(text: str) -> dict[str, list[str]]:
    """
    Read such a text: the expressions by the source of their object.
    """
    found: dict[str, list[str]] = {}
    source = ""
    for line in text.strip().splitlines():
        if line.startswith("    "):
            parts = (part.strip() for part in line.split(";;"))
            found[source].extend(filter(None, parts))
        else:
            source = line
            found[source] = []
    return found


EXPRESSIONS = read(TEXT)
