"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from bufa.web import (
    after_sales,
    case_actions,
    case_page,
    cases,
    find,
    findings,
    imports,
    inbox,
    parcels,
    reissue,
    session,
    settings_carriers,
    settings_connections,
    settings_people,
    settings_shop,
    stock,
    style,
    tasks,
    today,
)

CASE = "cases/<int:shop_id>/<str:code>/"

urlpatterns = [
    path("", today.page, name="today"),
    path("sign-in/", session.SignIn.as_view(), name="sign_in"),
    path("sign-out/", session.SignOut.as_view(), name="sign_out"),
    path("theme/", session.theme, name="theme"),
    path("my-language/", session.language, name="language"),
    path("choose-shop/", session.choose_shop, name="choose_shop"),
    path("find/", find.page, name="find"),
    path("style/", style.page, name="style"),
    path("cases/", cases.page, name="cases"),
    path(CASE, case_page.page, name="cases_case"),
    path(f"{CASE}effects/", case_page.effects_moved, name="cases_effects"),
    path(f"{CASE}reveal/", case_actions.reveal, name="cases_reveal"),
    path(f"{CASE}reissue/check/", reissue.check, name="cases_reissue_check"),
    path(f"{CASE}reissue/", reissue.save, name="cases_reissue"),
    path(f"{CASE}label/<int:reissue_id>/", reissue.label, name="cases_label"),
    path(f"{CASE}take-back/", case_actions.take_back, name="cases_take_back"),
    path(f"{CASE}<slug:act>/", case_actions.act, name="cases_act"),
    path("parcels/", parcels.page, name="parcels"),
    path("parcels/<int:shop_id>/<int:parcel_id>/", parcels.parcel, name="parcels_parcel"),
    path("findings/<int:shop_id>/<int:finding_id>/", findings.put_off, name="findings_put_off"),
    path("findings/<int:shop_id>/<int:finding_id>/back/", findings.bring_back, name="findings_back"),
    path("after-sales/", after_sales.page, name="aftersales"),
    path("after-sales/<int:shop_id>/<str:number>/<slug:answer>/", after_sales.answer, name="aftersales_answer"),
    path("tasks/", tasks.page, name="tasks"),
    path("tasks/<int:shop_id>/<int:notice_id>/", tasks.done, name="tasks_done"),
    path("inbox/", inbox.page, name="inbox"),
    path("inbox/retry/", inbox.retry, name="inbox_retry"),
    path("import/", imports.page, name="imports"),
    path("stock/", stock.page, name="stock"),
    path("settings/", settings_shop.page, name="settings_shop"),
    path("settings/rules/", settings_shop.rules, name="settings_rules"),
    path("settings/pickup/", settings_shop.pickup, name="settings_pickup"),
    path("settings/connections/", settings_connections.page, name="settings_connections"),
    path("settings/connections/<slug:kind>/", settings_connections.connect, name="settings_connect"),
    path("settings/connections/<slug:kind>/test/", settings_connections.test, name="settings_test"),
    path("settings/carriers/", settings_carriers.page, name="settings_carriers"),
    path("settings/people/", settings_people.page, name="settings_people"),
]
