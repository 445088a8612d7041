"""Every address of the dashboard, one list a resource."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from dashboard.views import (
    account,
    answers,
    bot,
    calls,
    conversations,
    corrections,
    evaluations,
    health,
    models,
    overview,
    people,
    playground,
    proofs,
    releases,
    replacements,
    settings,
    speech,
    trainings,
    verdicts,
)
from dashboard.views.datasets import (
    changes,
    drafting,
    examples,
    exporting,
    imports,
    uploads,
    versions,
)
from dashboard.views.datasets import lists as datasets
from dashboard.views.jobs import detail as job
from dashboard.views.jobs import lists as job_lists
from dashboard.views.jobs import starting as job_starting
from dashboard.views.jobs import trained
from dashboard.views.servers import detail as server
from dashboard.views.servers import lists as servers
from dashboard.views.servers import rows as server_rows
from dashboard.views.servers import voice as server_voice
from dashboard.views.suites import library as suite_library
from dashboard.views.suites import polling, voting
from dashboard.views.suites import runs as suite_runs

SYSTEM = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

PEOPLE = [
    path("sign-in/", people.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("start/<str:token>/", people.start, name="start"),
    path("account/", account.page, name="account"),
    path("account/discord/", account.discord, name="account-discord"),
    path("account/discord/code/", account.code, name="account-code"),
    path("account/discord/unlink/", account.unlink, name="account-unlink"),
    path("account/password/", people.password, name="password"),
]

OVERVIEW = [
    path("", overview.home, name="home"),
    path("overview/", overview.page, name="overview"),
    path("overview/steps/", overview.steps, name="overview-steps"),
    path("overview/tiles/", overview.tiles, name="overview-tiles"),
    path("overview/chart/", overview.chart, name="overview-chart"),
    path("overview/activity/", overview.activity, name="overview-activity"),
    path("overview/jobs/", overview.jobs, name="overview-jobs"),
    path("overview/parts/", overview.parts, name="overview-parts"),
    path("overview/state/", overview.state, name="overview-state"),
]

BOT = [
    path("bot/", bot.page, name="bot"),
    path("bot/state/", bot.state, name="bot-state"),
    path("bot/order/", bot.order, name="bot-order"),
    path("bot/incidents/", bot.incident_list, name="bot-incidents"),
    path("bot/incidents/<int:pk>/", bot.incident, name="bot-incident"),
    path("bot/say/", bot.say, name="bot-say"),
    path("bot/said/", bot.said, name="bot-said"),
]

DATASETS = [
    path("datasets/", datasets.list_, name="dataset-list"),
    path("datasets/rows/", datasets.rows, name="dataset-rows"),
    path("datasets/imports/", datasets.imports, name="dataset-imports"),
    path("datasets/upload/", uploads.page, name="dataset-upload"),
    path("datasets/uploads/", uploads.create, name="dataset-upload-create"),
    path("datasets/uploads/<uuid:key>/", uploads.upload, name="dataset-upload-pieces"),
    path("datasets/imports/<uuid:key>/", imports.detail, name="dataset-import"),
    path("datasets/imports/<uuid:key>/progress/", imports.progress, name="dataset-import-progress"),
    path("datasets/imports/<uuid:key>/problems/", imports.problems, name="dataset-import-problems"),
    path("datasets/imports/<uuid:key>/survey/", imports.survey, name="dataset-import-survey"),
    path("datasets/imports/<uuid:key>/excerpt/", imports.excerpt, name="dataset-import-excerpt"),
    path("datasets/imports/<uuid:key>/choose/", imports.choose, name="dataset-import-choose"),
    path("datasets/imports/<uuid:key>/start/", imports.start, name="dataset-import-start"),
    path("datasets/imports/<uuid:key>/jobs/", imports.keep_jobs, name="dataset-import-jobs"),
    path("datasets/imports/<uuid:key>/cancel/", imports.cancel, name="dataset-import-cancel"),
    path("datasets/exports/<uuid:export>/", exporting.download, name="dataset-export"),
    path("datasets/exports/<uuid:export>/cancel/", exporting.cancel, name="dataset-export-cancel"),
    path("datasets/<int:pk>/", versions.detail, name="dataset-detail"),
    path("datasets/<int:pk>/delete/", datasets.delete, name="dataset-delete"),
]

# One version of a dataset; `number` counts within the dataset.
ONE = "datasets/<int:pk>/versions/<int:number>/"
VERSIONS = [
    path(f"{ONE}summary/", versions.summary, name="dataset-version-summary"),
    path(f"{ONE}sources/", versions.sources, name="dataset-version-sources"),
    path(f"{ONE}permit/", versions.permit, name="dataset-version-permit"),
    path(f"{ONE}changes/", changes.page, name="dataset-version-changes"),
    path(f"{ONE}draft/", versions.draft, name="dataset-version-draft"),
    path(f"{ONE}exports/", exporting.panel, name="dataset-version-exports"),
    path(f"{ONE}export/", exporting.start, name="dataset-version-export"),
    path(f"{ONE}copy/", drafting.copy, name="dataset-version-copy"),
    path(f"{ONE}freeze/", drafting.freeze, name="dataset-version-freeze"),
    path(f"{ONE}discard/", drafting.discard, name="dataset-version-discard"),
    path(f"{ONE}undo/", drafting.undo, name="dataset-version-undo"),
    path(f"{ONE}redo/", drafting.redo, name="dataset-version-redo"),
    path(f"{ONE}stop/", drafting.stop, name="dataset-version-stop"),
    path(f"{ONE}deduplicate/", drafting.deduplicate, name="dataset-version-deduplicate"),
    path(f"{ONE}mask/", drafting.mask, name="dataset-version-mask"),
    path(f"{ONE}split/", drafting.split, name="dataset-version-split"),
    path(f"{ONE}examples/", examples.browse, name="dataset-examples"),
    path(f"{ONE}examples/add/", examples.add, name="dataset-example-add"),
    path(f"{ONE}examples/selection/", drafting.selection, name="dataset-selection"),
    path(f"{ONE}examples/<int:position>/", examples.detail, name="dataset-example"),
    path(f"{ONE}examples/<int:position>/edit/", examples.edit, name="dataset-example-edit"),
]

ONE_JOB = "fine-tuning/<int:pk>/"
JOBS = [
    path("fine-tuning/", job_lists.list_, name="job-list"),
    path("fine-tuning/rows/", job_lists.rows, name="job-rows"),
    path("fine-tuning/new/", job_starting.new, name="job-new"),
    path("fine-tuning/new/choices/", job_starting.choices, name="job-choices"),
    path(ONE_JOB, job.detail, name="job-detail"),
    path(f"{ONE_JOB}progress/", job.progress, name="job-progress"),
    path(f"{ONE_JOB}verdict/", verdicts.card, name="job-verdict"),
    path(f"{ONE_JOB}verdict/new/", verdicts.begin, name="job-verdict-new"),
    path(f"{ONE_JOB}cancel/", job.cancel, name="job-cancel"),
    path(f"{ONE_JOB}pause/", job.pause, name="job-pause"),
    path(f"{ONE_JOB}resume/", job.resume, name="job-resume"),
    path(f"{ONE_JOB}checkpoints/", trained.checkpoints, name="job-checkpoints"),
    path(f"{ONE_JOB}files/", trained.files, name="job-files"),
    path(f"{ONE_JOB}files/<str:form>/", trained.file, name="job-file"),
    path(f"{ONE_JOB}files/<str:form>/download/", trained.download, name="job-download"),
]

TAUGHT = "fine-tuning/taught/"
JOBS += [
    path(TAUGHT, trainings.list_, name="job-taught-list"),
    path(f"{TAUGHT}rows/", trainings.rows, name="job-taught-rows"),
    path(f"{TAUGHT}plan/", trainings.plan, name="job-taught-plan"),
    path(f"{TAUGHT}new/", trainings.begin, name="job-taught-new"),
    path(f"{TAUGHT}permit/", trainings.permit, name="job-taught-permit"),
    path(f"{TAUGHT}forbid/", trainings.forbid, name="job-taught-forbid"),
    path(f"{TAUGHT}<int:pk>/", trainings.detail, name="job-taught"),
    path(f"{TAUGHT}<int:pk>/state/", trainings.state, name="job-taught-state"),
    path(f"{TAUGHT}<int:pk>/cancel/", trainings.cancel, name="job-taught-cancel"),
]

EVALUATIONS = [
    path("evaluations/", evaluations.list_, name="evaluation-list"),
    path("evaluations/rows/", evaluations.rows, name="evaluation-rows"),
    path("evaluations/new/", evaluations.new, name="evaluation-new"),
    path("evaluations/new/choices/", evaluations.choices, name="evaluation-choices"),
    path("evaluations/<int:pk>/", evaluations.detail, name="evaluation-detail"),
    path("evaluations/<int:pk>/progress/", evaluations.progress, name="evaluation-progress"),
    path(
        "evaluations/<int:pk>/predictions/",
        evaluations.predictions,
        name="evaluation-predictions",
    ),
    path("evaluations/<int:pk>/cancel/", evaluations.cancel, name="evaluation-cancel"),
]

SUITES = [
    path("suites/", suite_library.list_, name="suite-list"),
    path("suites/rows/", suite_library.rows, name="suite-rows"),
    path("suites/new/", suite_library.new, name="suite-new"),
    path("suites/versions/<int:pk>/", suite_library.version, name="suite-version"),
    path("suites/versions/<int:pk>/cases/", suite_library.cases, name="suite-cases"),
    path("corrections/<int:pk>/judge/", suite_library.judge, name="correction-judge"),
    path("runs/", suite_runs.list_, name="run-list"),
    path("runs/rows/", suite_runs.rows, name="run-rows"),
    path("runs/new/", suite_runs.new, name="run-new"),
    path("runs/new/models/", suite_runs.models, name="run-models"),
    path("runs/new/price/", suite_runs.price, name="run-price"),
    path("runs/compare/", suite_runs.compare, name="run-compare"),
    path("runs/vote/", voting.page, name="run-vote"),
    path("runs/vote/cast/", voting.cast, name="run-vote-cast"),
    path("runs/polls/", polling.page, name="run-polls"),
    path("runs/polls/<int:pk>/end/", polling.end, name="run-poll-end"),
    path("runs/<int:pk>/", suite_runs.detail, name="run-detail"),
    path("runs/<int:pk>/progress/", suite_runs.progress, name="run-progress"),
    path("runs/<int:pk>/answers/", suite_runs.answers, name="run-answers"),
    path("runs/<int:pk>/cancel/", suite_runs.cancel, name="run-cancel"),
]

RELEASES = [
    path("releases/", releases.list_, name="release-list"),
    path("releases/new/", releases.create, name="release-create"),
    path("releases/<slug:name>/", releases.detail, name="release-detail"),
    path("releases/<slug:name>/state/", releases.state, name="release-state"),
    path("releases/<slug:name>/price/", releases.price, name="release-price"),
    path("releases/<slug:name>/move/", releases.move, name="release-move"),
    path("releases/<slug:name>/guard/", releases.guard, name="release-guard"),
    path("releases/<slug:name>/roll-back/", releases.roll_back, name="release-roll-back"),
    path("releases/<slug:name>/stop/", releases.stop, name="release-stop"),
    path("releases/<slug:name>/delete/", releases.delete, name="release-delete"),
    path("releases/<slug:name>/shadows/", releases.shadows, name="release-shadows"),
]

MODELS = [
    path("models/", models.list_, name="model-list"),
    path("models/rows/", models.rows, name="model-rows"),
    path("models/proof/", proofs.model, name="model-proof"),
    path("models/proof.png", proofs.model_picture, name="model-proof-picture"),
    path("models/use/", models.use, name="model-use"),
    path("models/retiring/", replacements.warnings, name="model-retiring"),
    path("models/replace/", replacements.new, name="model-replace"),
    path("models/replace/price/", replacements.price, name="model-replace-price"),
    path("models/replacements/<int:pk>/", replacements.detail, name="model-replacement"),
    path("models/replacements/<int:pk>/card/", replacements.card, name="model-replacement-card"),
    path("models/delete/", models.delete, name="model-delete"),
    path("models/price/", models.price, name="model-price"),
    path("models/price/remove/", models.remove_price, name="model-price-remove"),
    path("models/speech-price/", models.speech_price, name="speech-price"),
    path("models/speech-price/remove/", models.remove_speech_price, name="speech-price-remove"),
]

SETTINGS = [
    path("settings/", settings.page, name="settings"),
    path("settings/meaning/", settings.meaning, name="settings-meaning"),
    path("settings/meaning/state/", settings.meaning_state, name="settings-meaning-state"),
    path("settings/models/", settings.model_options, name="settings-models"),
]

SERVERS = [
    path("servers/", servers.list_, name="server-list"),
    path("servers/rows/", servers.rows, name="server-rows"),
    path("servers/direct/", servers.direct, name="server-direct"),
    path("servers/<int:pk>/", server.page, name="server-detail"),
    path("servers/<int:pk>/answers/", server.answers, name="server-answers"),
    path("servers/<int:pk>/limits/", server.limits, name="server-limits"),
    path("servers/<int:pk>/usage/", server.usage, name="server-usage"),
    path("servers/<int:pk>/people/", server.people, name="server-people"),
    path("servers/<int:pk>/voice/", server_voice.page, name="server-voice"),
    path("servers/<int:pk>/voice/standings/", server_voice.standings, name="server-standings"),
    path("servers/<int:pk>/roles/", server_rows.roles, name="server-roles"),
    path("servers/<int:pk>/roles/<int:role>/", server_rows.role, name="server-role"),
    path("servers/<int:pk>/channels/", server_rows.channels, name="server-channels"),
    path("servers/<int:pk>/channels/<int:channel>/", server.channel, name="server-channel"),
    path(
        "servers/<int:pk>/channels/<int:channel>/access/", server_rows.access, name="server-access"
    ),
]

CALLS = [
    path("calls/", calls.list_, name="call-list"),
    path("calls/rows/", calls.rows, name="call-rows"),
    path("calls/<int:pk>/", calls.detail, name="call-detail"),
    path("calls/<int:pk>/state/", calls.state, name="call-state"),
    path("calls/<int:pk>/words/", calls.words, name="call-words"),
    path("calls/<int:pk>/said/", calls.said, name="call-said"),
]

SPEECH = [
    path("speech/hear/", speech.hear, name="speech-hear"),
    path("speech/say/", speech.say, name="speech-say"),
    path("speech/answers/<int:pk>/", speech.answer, name="speech-answer"),
    path("speech/recordings/<int:pk>/", speech.recording, name="speech-recording"),
]

PLAYGROUND = [
    path("playground/", playground.page, name="playground"),
    path("playground/models/", playground.models, name="playground-models"),
    path("playground/<int:pk>/", playground.page, name="playground-conversation"),
]

CONVERSATIONS = [
    path("conversations/", conversations.list_, name="conversation-list"),
    path("conversations/rows/", conversations.rows, name="conversation-rows"),
    path("conversations/<int:pk>/", conversations.detail, name="conversation-detail"),
    path("conversations/<int:pk>/messages/", conversations.messages, name="conversation-messages"),
]

ANSWERS = [
    path("answers/<int:pk>/", answers.detail, name="answer"),
    path("answers/<int:pk>/correct/", answers.correct, name="answer-correct"),
    path("answers/<int:pk>/feedback/", answers.feedback, name="answer-feedback"),
]

CORRECTIONS = [
    path("corrections/", corrections.list_, name="correction-list"),
    path("corrections/queue/", corrections.queue, name="correction-queue"),
    path("corrections/export/", corrections.export, name="correction-export"),
    path("corrections/<int:pk>/question/", trainings.question, name="correction-question"),
    path("corrections/teach/", corrections.teach, name="correction-teach"),
    path("corrections/foresee/", corrections.foresee, name="correction-foresee"),
    path("corrections/alarms/", corrections.alarms, name="correction-alarms"),
    path("corrections/alarms/count/", corrections.alarms_count, name="correction-alarms-count"),
    path("corrections/undo/", corrections.undo, name="correction-undo"),
    path("corrections/bulk/", corrections.bulk, name="correction-bulk"),
    path("corrections/<int:pk>/", corrections.detail, name="correction-detail"),
    path("corrections/<int:pk>/approve/", corrections.approve, name="correction-approve"),
    path("corrections/<int:pk>/edit/", corrections.edit, name="correction-edit"),
    path("corrections/<int:pk>/reject/", corrections.reject, name="correction-reject"),
    path("corrections/<int:pk>/move/", corrections.move, name="correction-move"),
    path("corrections/<int:pk>/assign/", corrections.assign, name="correction-assign"),
    path("corrections/<int:pk>/comment/", corrections.comment, name="correction-comment"),
    path("corrections/<int:pk>/history/", corrections.history, name="correction-history"),
    path("corrections/<int:pk>/proof/", proofs.correction, name="correction-proof"),
    path(
        "corrections/<int:pk>/proof.png",
        proofs.correction_picture,
        name="correction-proof-picture",
    ),
]

urlpatterns: list[URLPattern] = [
    *SYSTEM,
    *PEOPLE,
    *OVERVIEW,
    *BOT,
    *DATASETS,
    *VERSIONS,
    *JOBS,
    *EVALUATIONS,
    *SUITES,
    *MODELS,
    *RELEASES,
    *SETTINGS,
    *SERVERS,
    *CALLS,
    *SPEECH,
    *PLAYGROUND,
    *CONVERSATIONS,
    *ANSWERS,
    *CORRECTIONS,
]
