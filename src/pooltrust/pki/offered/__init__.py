"""What a user offers for installation, judged before anything is moved.

Keys, leaves, chains, authorities and revocation lists as PEM text: each is read, or refused with
the code that XenAPI has for it and words that say why.  Pure, like all of pki.
"""
