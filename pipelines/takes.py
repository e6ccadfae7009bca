"""Takes: which takes of which shots were refused, saved under the fence, and the next one's seed."""

from __future__ import annotations

from collections.abc import Sequence

from inference.video.model import ShotRequest
from pipelines.gates.screening import ClipRefused
from pipelines.stage_log import ResultsGone, StageLog
from storyforge.domain.film_record import Gate, Refusal, RefusedTake
from storyforge.domain.job import Stage
from storyforge.domain.wire import Wire, content_hash
from storyforge.errors import QualityRefused
from storyforge.settings import GateSettings

STAGE = Stage.RENDER_SHOTS
ITEM = 1000  # among the results of rendering: shots have the items 1 to 60
_SEED_MASK = 0x7FFF_FFFF


class TakeRefused(ResultsGone):
    """A gate refused a clip after it was rendered; the film lane films that shot again.

    at_most: one more than the takes that were refused so far, so that this ends no job: the
    takes are bounded by themselves.
    """

    def __init__(self, what: str, at_most: int) -> None:
        super().__init__(STAGE, what)
        self.at_most = at_most


class RefusedTakes(Wire):
    """The saved refusals, oldest first; given_up: how many there were when the job last died."""

    refused: tuple[RefusedTake, ...] = ()
    given_up: int = 0


class TakeBook:
    """One attempt's view of the takes of a job's shots."""

    def __init__(
        self, log: StageLog, shots: Sequence[ShotRequest], model: str, gates: GateSettings
    ) -> None:
        """What was refused of these shots, by this model, under these settings."""
        self._log = log
        self._retakes = gates.retakes
        self._key = content_hash(
            [model, [shot.to_json() for shot in shots], gates.model_dump(mode="json")]
        )
        body = log.load(STAGE, ITEM, self._key)
        self._takes = RefusedTakes() if body is None else RefusedTakes.model_validate(body)

    def refused(self, shot: ShotRequest) -> tuple[RefusedTake, ...]:
        """The takes of a shot that were refused."""
        return tuple(one for one in self._takes.refused if one.shot == shot.index + 1)

    def request(self, shot: ShotRequest) -> ShotRequest:
        """The shot as its next take is to be rendered: the first has the shot's own seed."""
        refused = len(self.refused(shot))
        if not refused:
            return shot
        # Hashed, because the shots' own seeds are neighbours.
        seed = int(content_hash([shot.seed, refused])[:8], 16) & _SEED_MASK
        return shot.model_copy(update={"seed": seed})

    def refuse(self, shot: ShotRequest, found: ClipRefused | Refusal) -> None:
        """Save that the shot's take is refused.

        Raises QualityRefused, with the figures, when it was the last that is allowed; an
        operator's retry then begins with new seeds. Raises LeaseLost.
        """
        take = RefusedTake(
            shot=shot.index + 1,
            take=len(self.refused(shot)) + 1,
            seed=self.request(shot).seed,
            refusals=(found,) if isinstance(found, Refusal) else found.refusals,
            figures=None if isinstance(found, Refusal) else found.figures,
            join=None if isinstance(found, Refusal) else found.join,
        )
        refused = (*self._takes.refused, take)
        now = [one for one in refused[self._takes.given_up :] if one.shot == take.shot]
        last = len(now) > self._retakes
        given_up = len(refused) if last else self._takes.given_up
        self._takes = RefusedTakes(refused=refused, given_up=given_up)
        self._log.save(STAGE, ITEM, self._key, self._takes.to_json())
        if last:
            raise QualityRefused(_told(now, shot.count))

    def render_again(self, shot: ShotRequest) -> TakeRefused:
        """What sends the job back to rendering after a refusal."""
        last = self.refused(shot)[-1]
        said = " ".join(refusal.detail for refusal in last.refusals)
        what = f"Take {last.take} of shot {last.shot} was refused. {said}"
        return TakeRefused(what, len(self._takes.refused) + 2)


def _told(takes: Sequence[RefusedTake], shots: int) -> str:
    told = [
        f"take {one.take} (seed {one.seed}): {' '.join(found.detail for found in one.refusals)}"
        for one in takes
    ]
    gates = sorted({found.gate for one in takes for found in one.refusals} - {Gate.NUMBERS})
    times = "once" if len(takes) == 1 else f"{len(takes)} times"
    cure = "Retry for other seeds, or change the text or the model"
    if gates:  # what is no number can not be shown
        cure += f"; STORYFORGE_GATES_OFF={','.join(gates)} would show it all the same"
    return f"Shot {takes[0].shot} of {shots} was refused {times}; {' '.join(told)} {cure}."
