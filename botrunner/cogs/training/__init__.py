"""Training and testing on Discord: jobs are started, watched and told of; models are tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botrunner.cogs.training.testing import CancelTest, Testing
from botrunner.cogs.training.training import Training
from botrunner.ui.jobs import CancelJob, TurnPage

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot


async def setup(bot: TrainerBot) -> None:
    bot.add_dynamic_items(CancelJob, CancelTest, TurnPage)
    await bot.add_cog(Training(bot))
    await bot.add_cog(Testing(bot))
