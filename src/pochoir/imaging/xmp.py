"""XMP packets that say how a picture was made, for sites that must label it."""

from typing import Literal, TypeAlias
from xml.sax.saxutils import quoteattr

from pochoir._version import __version__

Origin: TypeAlias = Literal["painted", "cut out"]

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# A painted photo is a photo edited by means of a trained network; a cutout is a photo altered by an algorithm.
_TERM_OF_ORIGIN = {"painted": "compositeWithTrainedAlgorithmicMedia", "cut out": "algorithmicallyEnhanced"}
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    "xmp:CreatorTool={tool} Iptc4xmpExt:DigitalSourceType={term}/>"
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def build_packet(origin: Origin) -> bytes:
    """Return an XMP packet with the IPTC's DigitalSourceType of a picture."""
    term, tool = _TERMS + _TERM_OF_ORIGIN[origin], f"pochoir {__version__}"
    return _PACKET.format(tool=quoteattr(tool), term=quoteattr(term)).encode()
