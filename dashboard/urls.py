"""Every address of the dashboard, one list a resource."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from dashboard.views import (
    answers,
    conversations,
    corrections,
    datasets,
    health,
    jobs,
    models,
    overview,
    people,
    playground,
    settings,
)

SYSTEM = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

PEOPLE = [
    path("sign-in/", people.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("start/<str:token>/", people.start, name="start"),
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

DATASETS = [
    path("datasets/", datasets.list_, name="dataset-list"),
    path("datasets/rows/", datasets.rows, name="dataset-rows"),
    path("datasets/upload/", datasets.upload, name="dataset-upload"),
    path("datasets/<int:pk>/", datasets.detail, name="dataset-detail"),
    path("datasets/<int:pk>/examples/", datasets.examples, name="dataset-examples"),
    path("datasets/<int:pk>/delete/", datasets.delete, name="dataset-delete"),
]

JOBS = [
    path("fine-tuning/", jobs.list_, name="job-list"),
    path("fine-tuning/rows/", jobs.rows, name="job-rows"),
    path("fine-tuning/new/", jobs.new, name="job-new"),
    path("fine-tuning/new/choices/", jobs.choices, name="job-choices"),
    path("fine-tuning/<int:pk>/", jobs.detail, name="job-detail"),
    path("fine-tuning/<int:pk>/progress/", jobs.progress, name="job-progress"),
    path("fine-tuning/<int:pk>/cancel/", jobs.cancel, name="job-cancel"),
]

MODELS = [
    path("models/", models.list_, name="model-list"),
    path("models/rows/", models.rows, name="model-rows"),
    path("models/use/", models.use, name="model-use"),
]

SETTINGS = [
    path("settings/", settings.page, name="settings"),
    path("settings/models/", settings.model_options, name="settings-models"),
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
    path("corrections/teach/", corrections.teach, name="correction-teach"),
    path("corrections/<int:pk>/", corrections.detail, name="correction-detail"),
    path("corrections/<int:pk>/approve/", corrections.approve, name="correction-approve"),
    path("corrections/<int:pk>/edit/", corrections.edit, name="correction-edit"),
    path("corrections/<int:pk>/reject/", corrections.reject, name="correction-reject"),
]

urlpatterns: list[URLPattern] = [
    *SYSTEM,
    *PEOPLE,
    *OVERVIEW,
    *DATASETS,
    *JOBS,
    *MODELS,
    *SETTINGS,
    *PLAYGROUND,
    *CONVERSATIONS,
    *ANSWERS,
    *CORRECTIONS,
]
